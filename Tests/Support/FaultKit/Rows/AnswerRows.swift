// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import TestServers

extension FaultRow {
    /// The server answers with errors for a while.
    static let answers = [
        answer("answer-oom", "OOM: the memory is full") { rig in
            try await rig.server.cli("CONFIG", "SET", "maxmemory", "1")
            try await Task.sleep(for: .seconds(5))
            try await rig.server.cli("CONFIG", "SET", "maxmemory", "0")
        },
        answer("answer-readonly", "READONLY: the server is a replica for a while") { rig in
            try await rig.server.cli("REPLICAOF", "127.0.0.1", "\(try FreePort.find())")
            try await Task.sleep(for: .seconds(5))
            try await rig.server.cli("REPLICAOF", "NO", "ONE")
        },
        answer("answer-loading", "LOADING: the server reads its data") { rig in
            try await rig.proxy.set(.init(answer: "LOADING Redis is loading the dataset in memory"))
            try await Task.sleep(for: .seconds(5))
            try await rig.proxy.set(.fine)
        },
        answer("answer-noscript", "NOSCRIPT: the scripts are flushed, many times a second") { rig in
            for _ in 0..<50 {
                try await rig.server.cli("SCRIPT", "FLUSH", "SYNC")
                try await Task.sleep(for: .milliseconds(50))
            }
        },
        answer("answer-wrongtype", "WRONGTYPE: keys that a worker needs hold something else, until it puts them aside")
        {
            rig in
            let spoilt = ["own", "chard:{celery}:dead", "chard:{own}:delayed", "chard:orders"]
            for key in spoilt {
                try await rig.server.cli("DEL", key)
                try await rig.server.cli("HSET", key, "a", "hash")
            }
            rig.mayFail([try await rig.send("nobody.knows")])
            let retried = try? await rig.send("retryOnce", 0, options: EnqueueOptions(queue: "celery"))
            try await eventually("they are put aside", within: .seconds(40)) {
                Set(try await rig.broker.asideItems().map(\.place)) == Set(spoilt)
            }
            if let retried { try await rig.started(retried) }
        },
    ]

    private static func answer(
        _ name: String, _ about: String, _ trouble: @escaping @Sendable (FaultRig) async throws -> Void
    ) -> FaultRow {
        FaultRow(name, about, short: 1, long: 10, recovery: 5) { rig in
            let worker = try await rig.worker(["-Q", "celery,own"], throughProxy: true)
            let long = try await rig.send("sleep", 3)
            try await rig.started(long)
            try await rig.streaming {
                try await trouble(rig)
                try await rig.expectService(queue: "own")
                try await Task.sleep(for: .seconds(1))
            }
            try await rig.finished()
            rig.expect(worker.status == nil, "the worker lives through it")
        }
    }
}
