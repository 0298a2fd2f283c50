// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import TestServers

extension FaultRow {
    /// The way to the server is cut, closed, or slow, for one of two workers.
    static let ways = [
        way("proxy-cut", "all connections cut each second") { rig in
            for _ in 0..<(rig.isLong ? 60 : 8) {
                try await rig.proxy.cut()
                try await Task.sleep(for: .seconds(1))
            }
        },
        way("proxy-reset", "all connections reset each second") { rig in
            for _ in 0..<(rig.isLong ? 60 : 8) {
                try await rig.proxy.cut(resetting: true)
                try await Task.sleep(for: .seconds(1))
            }
        },
        way("black-hole-up", "nothing from the worker arrives, for less and for more than the lease", short: 2) { rig in
            try await rig.through(FaultProxy.Weather(holdsUpward: true))
        },
        way("black-hole-down", "nothing from the server arrives, for less and for more than the lease", short: 2) {
            rig in
            try await rig.through(FaultProxy.Weather(holdsDownward: true))
        },
        way("black-hole", "nothing arrives either way, for less and for more than the lease", short: 2) { rig in
            try await rig.through(.blackHole)
        },
        // Noticed within 10 s, and served within 5 s of that.
        way("half-open", "the connections fall silent for ever, new ones work", recovery: 15) { rig in
            try await rig.proxy.setForPresent(.blackHole)
        },
        FaultRow("slow-way", "200 ms each way, in pieces of one byte", short: 1, long: 5) { rig in
            try await rig.proxy.set(.slow)
            try await rig.worker(throughProxy: true)
            for number in 0..<40 { try await rig.send(number % 4 == 0 ? "sleep" : "quick", 0.5) }
            try await rig.finished()
            rig.expect(rig.ledger.again == 0, "slow is not lost: no task runs twice")
        },
    ]

    private static func way(
        _ name: String, _ about: String, short: Int = 1, recovery: Double = 5,
        _ trouble: @escaping @Sendable (FaultRig) async throws -> Void
    ) -> FaultRow {
        FaultRow(name, about, short: short, long: 10, recovery: recovery) { rig in
            let hit = try await rig.worker(["-Q", "celery,own"], throughProxy: true)
            let long = try await rig.send("sleep", 14)
            try await rig.started(long)
            // Takes over what the other one loses. Nobody but that one serves the queue `own`.
            try await rig.worker()
            try await rig.streaming {
                try await trouble(rig)
                try await rig.expectService(queue: "own")
                try await Task.sleep(for: .seconds(1))
            }
            try await rig.finished()
            rig.expect(hit.status == nil, "the worker lives through it")
        }
    }
}

extension FaultRig {
    fileprivate func through(_ weather: FaultProxy.Weather) async throws {
        try await Task.sleep(for: .seconds(1))
        try await proxy.set(weather)
        try await Task.sleep(for: .seconds(round % 2 == 0 ? 6 : 20))
        try await proxy.set(.fine)
    }
}
