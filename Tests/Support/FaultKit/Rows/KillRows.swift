// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import TestServers

extension FaultRow {
    /// A worker is killed at an exact point of a task's way; another one is started at once.
    static let kills = [
        FaultRow("kill-claim", "SIGKILL before the reply of the claim is read", short: 2, long: 20) { rig in
            // Both ways to claim: the script, and the blocking pop of a worker that waits.
            let waits = rig.round % 2 == 1
            let gate = try await rig.proxy.gate(waits ? .popReply : .claimReply)
            var id = ""
            if !waits { id = try await rig.send("quick") }
            let worker = try await rig.worker(throughProxy: true, waits: waits)
            if waits {
                try await eventually("the worker waits") {
                    try await rig.server.cli("CLIENT", "LIST").contains("blmove")
                }
                id = try await rig.send("quick")
            }
            try await gate.reached()
            try await rig.killAndReplace(worker, recovering: id)
        },
        FaultRow("kill-claimed", "SIGKILL after the claim, before the body", short: 1, long: 20) { rig in
            let gate = try await rig.proxy.gate(.report)
            let worker = try await rig.worker(throughProxy: true)
            let id = try await rig.send("tracked")
            try await gate.reached()
            rig.expect(rig.ledger.runs.isEmpty, "the body has not started")
            try await rig.killAndReplace(worker, recovering: id)
        },
        FaultRow("kill-body", "SIGKILL in the middle of the body", short: 1, long: 20) { rig in
            let worker = try await rig.worker()
            let id = try await rig.send("sleepUnlessLost", 30)
            try await rig.started(id)
            try await rig.killAndReplace(worker, recovering: id)
        },
        FaultRow("kill-unsettled", "SIGKILL after the body, before the settlement", short: 1, long: 20) { rig in
            let gate = try await rig.proxy.gate(.settlement)
            let worker = try await rig.worker(throughProxy: true)
            let id = try await rig.send("quick")
            try await gate.reached()
            rig.expect(rig.ledger.runs.first?.ending == .finish, "the body has ended")
            try await rig.killAndReplace(worker, recovering: id)
        },
        FaultRow("kill-settled", "SIGKILL after the settlement", short: 1, long: 20) { rig in
            let gate = try await rig.proxy.gate(.settlementReply)
            let worker = try await rig.worker(throughProxy: true)
            let id = try await rig.send("quick")
            try await gate.reached()
            let dead = try await rig.identities()
            try await rig.kill(worker)
            try await rig.worker()
            try await eventually("the dead worker is forgotten", within: .seconds(30)) {
                try await rig.identities().isDisjoint(with: dead)
            }
            try await rig.expectService(isRecovery: false)
            try await rig.finished()
            rig.expect(rig.ledger.runs(of: id).count == 1, "what was settled does not run again")
        },
    ]
}

extension FaultRig {
    fileprivate func killAndReplace(_ worker: Program, recovering id: String) async throws {
        try await kill(worker)
        expectRecovery(of: [id])
        try await self.worker()
        try await finished()
    }
}
