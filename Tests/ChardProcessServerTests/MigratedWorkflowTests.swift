// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import ChardSQLite
import Foundation
import Logging
import Synchronization
import TestServers
import Testing

@Suite("migrate: workflows that are under way", .timeLimit(.minutes(3)))
struct MigratedWorkflowTests {
    /// What has run, and how often.
    private final class Runs: Sendable {
        private let names = Mutex<[String]>([])
        func add(_ name: String) { names.withLock { $0.append(name) } }
        var all: [String] { names.withLock { $0.sorted() } }
    }

    private func app(on broker: any Broker, _ runs: Runs) -> Chard {
        let app = Chard("moved", broker: broker)
        app.task("add") { (x: Int, y: Int) in
            runs.add("add \(x) \(y)")
            return x + y
        }
        app.task("sum") { (values: [Int]) in
            runs.add("sum \(values)")
            return values.reduce(0, +)
        }
        app.task("count") { (parts: [PartOutcome<Int>]) in
            runs.add("count \(parts.count)")
            return parts.count
        }
        app.task("stepped", options: TaskOptions(retry: .constant(maxRetries: 5, delay: .milliseconds(500)))) {
            (context: TaskContext) in
            let value = try await context.step("once") {
                runs.add("step")
                return 7
            }
            guard context.attempt > 1 else { throw TaskError("Again", "once more") }
            return value
        }
        return app
    }

    private func work(
        _ app: Chard, on queues: [String], until done: @Sendable () async throws -> Bool
    ) async throws {
        let quiet = Logger(label: "moved") { _ in SwiftLogNoOpLogHandler() }
        let worker = Worker(app, options: WorkerOptions(queues: queues, concurrency: 4), logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            defer { worker.stop(.now) }
            try await eventually("the work is done", within: .seconds(30)) { try await done() }
        }
    }

    @Test(
        "a chain, chords and what a body has done go on at the target from where they were, and end once",
        arguments: [true, false])
    func underWay(isFromFile: Bool) async throws {
        try await Files.with { files in
            try await ProcessBench.with { bench in
                let file = files.broker("tasks.db")
                let source: any MovableBroker = isFromFile ? file : bench.broker
                let target: any MovableBroker = isFromFile ? bench.broker : file
                let urls = [files.url("tasks.db"), bench.server.url]
                let runs = Runs()
                let (before, after) = (app(on: source, runs), app(on: target, runs))
                let add = before.reference("add", taking: Int.self, Int.self, returning: Int.self)
                let sum = before.reference("sum", taking: [Int].self, returning: Int.self)
                let count = before.reference("count", taking: [PartOutcome<Int>].self, returning: Int.self)
                let late = EnqueueOptions(queue: "late")

                let chain = try await add.signature(1, 2, queue: "early").then(add, with: 10, options: late)
                    .then(add, with: 20, options: late).enqueue()
                let members = try (0..<6).map { try add.signature($0, 0, queue: $0 < 4 ? "early" : "late") }
                let chord = try await group(members).then(sum, options: late).then(add, with: 5, options: late)
                    .enqueue()
                let outcomes = try await group(members).finally(count, options: late, queue: "late").enqueue()
                let plain = try await group(members).enqueue()
                let stepped = try await before.send("stepped", options: EnqueueOptions(queue: "early"))
                // One more each: of a chord whose members have all ended, nothing but that is kept.
                let over = try await group([add.signature(8, 8, queue: "early")]).then(
                    sum, options: EnqueueOptions(queue: "early")
                ).enqueue()

                try await work(before, on: ["early"]) {
                    let status = try await stepped.status()
                    let waiting = try await source.queues().reduce(0) { $0 + $1.waiting + $1.leased }
                    // Two late members three times, the second step of the chain.
                    return status.state == .retry && waiting == 7 && status.id == stepped.id
                }
                #expect(try await over.value(timeout: .seconds(5)) == 16)

                let words = [
                    "migrate", "--from", isFromFile ? urls[0] : urls[1], "--to", isFromFile ? urls[1] : urls[0],
                ]
                for _ in 0..<2 {
                    let run = try await CommandRun(Program("chard", words + ["--json"]), within: .seconds(90))
                    #expect(run.status == 0, "\(run)")
                }
                #expect(try await source.storedJoins(from: nil).groups.isEmpty)
                #expect(try await source.storedRecords(from: nil).ids.isEmpty)

                let results = [chain, chord, outcomes].map(\.id)
                try await work(after, on: ["early", "late"]) {
                    for id in results + plain.members.map(\.id) + [stepped.id] {
                        guard try await after.result(of: id).status().state.isReady else { return false }
                    }
                    return try await target.queues().allSatisfy { $0.waiting + $0.leased + $0.delayed == 0 }
                }
                for (id, value) in zip(results, [33, 20, 6]) {
                    #expect(try await after.result(of: id).value(timeout: .seconds(5)) == .integer(value))
                }
                #expect(try await after.result(of: stepped.id).value(timeout: .seconds(5)) == 7)
                let found = try #require(try await after.groupResult(of: plain.id, returning: Int.self))
                #expect(try await found.values(timeout: .seconds(5)) == Array(0..<6))
                let report = try #require(try await after.workflow(chord.workflowID ?? "").report())
                #expect(report.state == .succeeded && report.progress.succeeded == 8, "\(report)")
                let once = runs.all.filter { !$0.hasPrefix("add") }
                #expect(once == ["count 6", "step", "sum [0, 1, 2, 3, 4, 5]", "sum [16]"], "\(runs.all)")
                #expect(runs.all.count { $0.hasPrefix("add") } == 3 + 18 + 1 + 1, "\(runs.all)")
                await file.shutdown()
            }
        }
    }
}
