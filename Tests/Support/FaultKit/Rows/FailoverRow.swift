// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Synchronization
import TestServers

extension FaultRow {
    /// A replica takes the primary's place: after a kill in the even rounds; in the odd ones after a freeze, from which the old
    /// primary wakes up with all its sockets and does not know of it for some seconds.
    static let failover = FaultRow(
        "failover", "Sentinel fails over under load, the primary killed or frozen", short: 2, long: 20, recovery: 2,
        mayOverlap: true, hasSentinels: true
    ) { rig in
        guard let setup = rig.setup else { return }
        try await rig.worker()
        try await rig.worker()
        let (primary, replica) = (setup.servers[0], setup.servers[1])
        let sent = SentTasks()
        let load = Task {
            await withTaskGroup { group in
                for kind in 0..<4 {
                    group.addTask { await sent.send(by: rig, replicated: kind == 0) }
                }
            }
        }
        defer { load.cancel() }
        let sentinels = try await asking(setup)
        try await Task.sleep(for: .seconds(1))
        let fault = LedgerLine.now
        if rig.round.isMultiple(of: 2) { await primary.kill() } else { primary.pause() }
        try await eventually("a sentinel names the replica") { try await names(sentinels, replica.port) }
        let named = LedgerLine.now
        // The load goes on: one of its tasks starts.
        var next: Double?
        try await eventually("a task starts") {
            try await Task.sleep(for: .milliseconds(30))
            next = rig.ledger.runs.map(\.start).filter { $0 > named }.min()
            return next != nil
        }
        let gap = (next ?? named) - named
        rig.recovered(after: gap)
        if rig.round.isMultiple(of: 2) { try await setup.restart(primary) } else { primary.resume() }
        try await setup.replicating()
        try await Task.sleep(for: .seconds(1))
        load.cancel()
        await load.value
        // What is not lost has ended long before.
        try await rig.finished(within: .seconds(20))
        let (plain, replicated) = sent.ids
        let lost = rig.forgive(plain)
        rig.note(
            "round \(rig.round), \(rig.round.isMultiple(of: 2) ? "killed" : "frozen"): named after \(seconds(named - fault)), "
                + "work \(seconds(gap)) later; of \(plain.count) acknowledged writes \(lost) were lost, of "
                + "\(replicated.count) replicated ones none may be")
    }

    private static func seconds(_ time: Double) -> String { "\((time * 1_000).rounded() / 1_000) s" }

    private static func asking(_ setup: SentinelSetup) async throws -> [RedisConnection] {
        var connections: [RedisConnection] = []
        for port in setup.ports {
            connections.append(try await RedisConnection.connect(to: RedisURL("redis://127.0.0.1:\(port)")))
        }
        return connections
    }

    /// Whether one of the sentinels names the server at this port.
    private static func names(_ sentinels: [RedisConnection], _ port: Int) async throws -> Bool {
        for sentinel in sentinels {
            let reply = try await sentinel.send(RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"))
            if reply.array?.last?.text == "\(port)" { return true }
        }
        return false
    }
}

/// The tasks that a load has sent: those that the primary has acknowledged, and those that its replica has taken as well.
private final class SentTasks: Sendable {
    private let state = Mutex<(plain: Set<String>, replicated: Set<String>)>(([], []))

    var ids: (plain: Set<String>, replicated: Set<String>) { state.withLock { $0 } }

    /// Goes on until it is cancelled. A send that fails is not repeated.
    func send(by rig: FaultRig, replicated: Bool) async {
        while !Task.isCancelled {
            let options = EnqueueOptions(durability: replicated ? .replicas(1) : nil)
            if let id = try? await rig.send("quick", options: options) {
                state.withLock { if replicated { $0.replicated.formUnion([id]) } else { $0.plain.formUnion([id]) } }
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
