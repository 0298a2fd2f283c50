// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import TestServers

extension FaultRow {
    /// Every right of the worker's user is taken away for a while, one after the other, under load of every kind.
    static let rights = FaultRow(
        "rights", "each right of a worker's user taken away for half a second: every command, all keys, all channels",
        long: 10
    ) { rig in
        try await rig.server.cli("ACL", "SETUSER", "w", "on", ">pw", "~*", "&*", "+@all")
        let worker = try await rig.worker(
            ["-Q", "celery,own"], environment: ["CHARD_BROKER_URL": "redis://w:pw@127.0.0.1:\(rig.server.port)/0"])
        let commands = WorkerRights.commandNames.filter { $0 != "script|load" }
        let rights =
            commands.map { ("-\($0)", "+\($0)") } + [("resetchannels", "allchannels"), ("resetkeys", "allkeys")]
        try await rig.streaming {
            for (loss, gain) in rights {
                try await rig.server.cli("ACL", "SETUSER", "w", loss)
                // One of each kind of end.
                rig.mayFail([try await rig.send("fail"), try await rig.send("nobody.knows")])
                try await rig.send("retryOnce")
                try await rig.send("quick", 0, options: EnqueueOptions(countdown: .milliseconds(200)))
                try await Task.sleep(for: .milliseconds(500))
                try await rig.server.cli("ACL", "SETUSER", "w", gain)
                rig.expect(worker.status == nil, "the worker lives without \(loss)")
            }
            try await rig.expectService(queue: "own")
        }
        try await rig.finished()
        rig.expect(worker.status == nil, "the worker lives through it")
        for right in ["+lmove", "+lrem", "+zadd", "+publish"] {
            let isNamed = worker.talk.split(separator: "\n").contains { line in
                line.contains("ACL SETUSER USER") && line.split(separator: " ").contains { $0 == right }
            }
            rig.expect(isNamed, "a line names the right that is missing: \(right)")
        }
    }
}
