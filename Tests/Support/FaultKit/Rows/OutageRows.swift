// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import TestServers

extension FaultRow {
    /// The server goes away, or hangs up.
    static let outages = [
        FaultRow(
            "redis-restart", "Redis killed and started again, with AOF always", short: 2, long: 20, recovery: 5,
            server: .init(isPersistent: true)
        ) { rig in
            try await rig.worker()
            try await rig.worker()
            try await rig.streaming {
                try await Task.sleep(for: .seconds(1))
                await rig.server.kill()
                try await Task.sleep(for: .seconds([1, 6][rig.round % 2]))
                try await rig.server.restart()
                try await rig.expectService()
                try await Task.sleep(for: .seconds(3))
            }
        },
        FaultRow(
            "redis-gone", "Redis gone for longer than the lease, with tasks under way", short: 1, long: 10,
            server: .init(isPersistent: true)
        ) { rig in
            let workers = [try await rig.worker(), try await rig.worker()]
            var ids: [String] = []
            for _ in 0..<4 { ids.append(try await rig.send("sleep", 14)) }
            for id in ids { try await rig.started(id) }
            await rig.server.kill()
            try await Task.sleep(for: .seconds(rig.isLong ? 60 : 30))
            try await rig.server.restart()
            // What ran was cancelled when its lease came into doubt; its owners are declared dead only a lease later.
            rig.expectRecovery(of: ids)
            try await rig.expectService()
            try await rig.finished()
            rig.expect(workers.allSatisfy { $0.status == nil }, "the workers live through it")
        },
        FaultRow("redis-empty", "Redis killed and started again empty", short: 1, long: 10, recovery: 5) { rig in
            try await rig.worker()
            try await rig.worker()
            for _ in 0..<10 { try await rig.send("sleep", 3) }
            try await eventually("some are under way") { rig.ledger.runs.count > 1 }
            try await rig.server.restart()
            rig.forgetSent()
            for _ in 0..<100 { try await rig.expectService() }
        },
        FaultRow("client-kill", "CLIENT KILL of everything each second", short: 1, long: 10, recovery: 5) { rig in
            try await rig.worker()
            try await rig.worker()
            try await rig.streaming {
                for _ in 0..<(rig.isLong ? 60 : 10) {
                    try await rig.server.cli("CLIENT", "KILL", "TYPE", "normal")
                    try await rig.server.cli("CLIENT", "KILL", "TYPE", "pubsub")
                    try await Task.sleep(for: .seconds(1))
                }
                try await rig.expectService()
            }
        },
    ]
}
