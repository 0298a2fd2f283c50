// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers

extension FaultRow {
    /// Python Celery's workers and ours on one queue, where Python waits for 3 s before it takes something for lost.
    static let mixedFleet = FaultRow(
        "mixed-fleet", "Celery's workers beside ours, visibility_timeout 3 s", short: 2, long: 6
    ) { rig in
        rig.round % 2 == 0 ? try await rig.killOurs() : try await rig.killTheirs()
    }

    /// A third of sixty workers is killed at once, whoever of them is on duty among them; three times over.
    static let fleet = FaultRow("fleet", "SIGKILL of a third of 60 workers at once, three times", short: 1, long: 3) {
        rig in
        var workers: [Program] = []
        let size = rig.isLong ? 60 : 12
        for _ in 0..<size { workers.append(try await rig.worker(["-c", "1"])) }
        for _ in 0..<3 {
            var ids: [String] = []
            for _ in 0..<size { ids.append(try await rig.send("sleepUnlessLost", 10)) }
            for id in ids { try await rig.started(id) }
            let onDuty = try await rig.server.cli("GET", "chard:duty")
            let killed = workers.prefix(size / 3)
            workers.removeFirst(size / 3)
            let dead = Set(killed.map(\.id))
            let held = Set(rig.ledger.runs.filter { dead.contains($0.pid) && $0.ending == nil }.map(\.id))
            for worker in killed { try await rig.kill(worker) }
            rig.expectRecovery(of: ids.filter(held.contains))
            rig.note("\(held.count) of \(size) were held by who was killed; on duty was \(onDuty)")
            try await rig.finished(within: .seconds(90))
            for _ in 0..<size / 3 { workers.append(try await rig.worker(["-c", "1"])) }
        }
    }

    /// A worker whose wall clock is an hour off.
    static let wrongClock = FaultRow("wrong-clock", "the clock of a worker off by an hour", short: 2, long: 10) { rig in
        let offset = rig.round % 2 == 0 ? "3600" : "-3600"
        try await rig.worker(["-Q", "celery,own"], environment: ["FAULT_CLOCK": offset])
        let long = try await rig.send("sleep", 16, options: .init(expires: .seconds(60)))
        try await rig.started(long)
        try await rig.worker()
        let sent = LedgerLine.now
        let due = try await rig.send("quick", 0, options: .init(queue: "own", countdown: .seconds(2)))
        let again = try await rig.send("retryOnce", 0, options: .init(queue: "own"))
        try await rig.finished(within: .seconds(40))
        let ledger = rig.ledger
        rig.expect(ledger.runs(of: long).count == 1, "the lease is timed by the server's clock")
        let start = (ledger.runs(of: due).first?.start ?? 0) - sent
        rig.expect((1.9...5).contains(start), "a countdown of 2 s takes that long, not \(start) s")
        let retry = ledger.runs(of: again).map(\.start)
        let pause = (retry.last ?? 0) - (retry.first ?? 0)
        rig.expect((0.9...4).contains(pause), "a retry after a second comes then, not after \(pause) s")
    }
}

extension FaultRig {
    private func python() async throws -> Program {
        let worker = try Program.peer(
            ["worker", "-c", "1"], redis: server.url,
            environment: ["BROKER_TRANSPORT_OPTIONS": #"{"visibility_timeout": 3}"#])
        try await worker.says("ready.")
        return worker
    }

    private func sendMark(_ seconds: Double) async throws -> String {
        let id = TaskID.random()
        return try await send(
            "interop.mark_sleep", Arguments(["marks", .number(seconds), .string(id)]), options: .init(id: id))
    }

    /// How often Python has started a task.
    private func marks(of id: String) async throws -> Int {
        try await server.cli("LRANGE", "interop:marks", "0", "-1").components(separatedBy: id).count - 1
    }

    fileprivate func killOurs() async throws {
        let ours = try await worker()
        // Sees to it that what we lose is given back, and takes none of it.
        try await worker(["-Q", "other"])
        let long = try await sendMark(10)
        var lost: [String] = []
        for _ in 0..<2 { lost.append(try await sendMark(15)) }
        for id in lost + [long] { try await started(id) }
        let theirs = try await python()
        try await eventually("the task of 10 s ends") { try await broker.status(of: long)?.state == .success }
        let repeated = try await marks(of: long)
        expect(repeated == 0 && ledger.runs(of: long).count == 1, "a task of 10 s runs once, and not in Python")
        try await kill(ours)
        let killed = LedgerLine.now
        try await eventually("Python takes over what we lost", within: .seconds(25)) {
            try await server.cli("LLEN", "interop:marks") != "0"
        }
        let took = LedgerLine.now - killed
        expect(took <= 20, "Python can take over what we lost within 20 s, not \(took) s")
        try await finished()
        theirs.signal(SIGKILL)
        try await theirs.finished()
    }

    fileprivate func killTheirs() async throws {
        let theirs = try await python()
        var ids: [String] = []
        for _ in 0..<4 { ids.append(try await sendMark(5)) }
        try await eventually("Python holds three and runs one") {
            let held = try await server.cli("HLEN", "unacked")
            let marked = try await server.cli("LLEN", "interop:marks")
            return held == "3" && marked == "1"
        }
        theirs.signal(SIGKILL)
        try await theirs.finished()
        // Celery acknowledges before it runs: what ran is lost by its own rule.
        forgetSent()
        try await worker()
        // Three times as long as ours take to look for lost ones.
        try await Task.sleep(for: .seconds(6))
        let held = try await server.cli("HLEN", "unacked")
        expect(held == "3", "what Python holds is Python's; it is \(held) of 3")
        expect(ledger.runs.isEmpty, "we run nothing of it")
        let next = try await python()
        try await eventually("Python gives back what it held", within: .seconds(60)) {
            for id in ids.dropFirst() where try await broker.status(of: id) == nil { return false }
            return true
        }
        next.signal(SIGKILL)
        try await next.finished()
    }
}
