// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import ChardTesting
import Foundation
import TestServers

extension FaultRow {
    /// Random workflows whose parts run in Swift and in Python, while a Swift worker is killed each second. In every third round
    /// results are kept on another server.
    static let workflows = FaultRow(
        "workflows", "SIGKILL of one of five workers each second, in the middle of workflows", short: 1, long: 10
    ) { rig in
        guard rig.round % 3 == 1 else { return try await rig.playWorkflows(nil) }
        try await RedisServer.with { try await rig.playWorkflows($0) }
    }
}

extension FaultRig {
    /// - Parameter results: The server of the results, if they have one of their own.
    fileprivate func playWorkflows(_ results: RedisServer?) async throws {
        let rig = self
        let began = ContinuousClock.now
        let trees = rig.drawTrees(rig.isLong ? 50 : 60)
        let store = try results.map { RedisBroker(try RedisURL($0.url)) }
        let app = store.map { Chard("producer", broker: rig.broker, results: $0) } ?? rig.app
        let environment = results.map { ["CHARD_RESULTS_URL": $0.url] } ?? [:]
        var workers: [Program] = []
        for _ in 0..<5 { workers.append(try await rig.worker(["-c", "8"], environment: environment)) }
        let python = try Program.peer(
            ["worker", "-Q", "python", "-c", "1"], redis: rig.server.url,
            environment: results.map { ["RESULT_URL": $0.url] } ?? [:])
        try await python.says("ready.")
        var ends: [AsyncResult<JSON>] = []
        for tree in trees { ends.append(try await tree.workflow.enqueue(1, by: app)) }
        rig.promised(ends.map(\.id))

        let killing = Task { [workers] in
            var (workers, kills) = (workers, 0)
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                if Task.isCancelled { break }
                kills += 1
                // The last one only rarely: who has not kept watch for the time of a lease takes nobody for lost.
                let victim = kills % 30 == 0 ? workers.count - 1 : 0
                try await rig.kill(workers.remove(at: victim))
                workers.insert(
                    try await rig.worker(["-c", "8"], environment: environment, waits: false),
                    at: max(victim, workers.count - 1))
            }
            return kills
        }
        try await rig.finished(within: .seconds(rig.isLong ? 400 : 150), in: store)
        killing.cancel()
        let kills = try await killing.value

        var wrong = 0
        for (tree, end) in zip(trees, ends) {
            let status = try await end.status()
            let result = status.state == .success ? status.result.integer : nil
            if status.state.isReady, result == tree.end(of: 1) { continue }
            wrong += 1
            rig.problem("\(tree) comes to \(tree.end(of: 1).map(String.init) ?? "a failure"), not \(status)")
        }
        let seconds = (ContinuousClock.now - began).components.seconds
        try await rig.expectNothingLeft(on: [rig.server] + (results.map { [$0] } ?? []))
        try await rig.expectSingleRuns()
        let parts = trees.reduce(0) { $0 + $1.tasks.count }
        rig.note(
            "round \(rig.round): \(trees.count) workflows of \(parts) tasks in \(seconds) s, \(kills) workers killed, \(wrong) wrong"
                + (results == nil ? "" : "; results on another server"))
        python.signal(SIGTERM)
        try await python.finished()
        await store?.shutdown()
    }

    /// Draws trees of which each fifth has a task that fails, and which are the same each time.
    fileprivate func drawTrees(_ count: Int) -> [WorkflowTree] {
        var random = SeededGenerator(state: UInt64(round))
        return (0..<count).map { number in
            let tree = WorkflowTree.drawn(depth: isLong ? 5 : 4, in: "\(number)", &random).spread(
                over: ["celery", "python"], &random)
            return number % 5 < 4 ? tree : tree.failing(&random)
        }
    }

    /// Waits until no message and no join is left, and looks for what would stay for ever.
    fileprivate func expectNothingLeft(on servers: [RedisServer]) async throws {
        do {
            try await eventually("all messages are settled", within: .seconds(60)) {
                try await broker.queues().allSatisfy { $0.waiting == 0 && $0.leased == 0 && $0.delayed == 0 }
            }
        } catch {
            problem("\(error): \(try await broker.queues())")
        }
        let script =
            "local n = {} for _, k in ipairs(redis.call('KEYS', 'celery-task*')) do if redis.call('TTL', k) == -1 then n[#n + 1] = k end end return n"
        for server in servers {
            let stay = try await server.cli("EVAL", script, "0")
            expect(stay.isEmpty, "all results and joins have a time to live, but not \(stay)")
        }
    }

    /// What has run to its end, in a process that lived on for long enough to settle it, must not run again; and in Python, which
    /// nobody kills, nothing does.
    fileprivate func expectSingleRuns() async throws {
        let ledger = ledger
        var done: Set<String> = []
        for run in ledger.runs {
            expect(!done.contains(run.id), "\(run.id) runs once, and not again after it was settled")
            guard run.ending == .finish, ledger.lastSeen[run.pid] ?? 0 > run.end + 2 else { continue }
            done.insert(run.id)
        }
        let marks = try await server.cli("LRANGE", "interop:trees", "0", "-1").split(separator: "\n").map {
            try JSON(parsing: Array($0.utf8))["value"]?.string ?? ""
        }
        let often = Dictionary(marks.map { ($0, 1) }) { $0 + $1 }.filter { $0.value > 1 }
        expect(often.isEmpty, "Python runs nothing twice, as it did \(often.keys.sorted().prefix(5))")
        expect(!marks.isEmpty && !done.isEmpty, "both have run parts, Python \(marks.count), we \(done.count)")
    }
}
