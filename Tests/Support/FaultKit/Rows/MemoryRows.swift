// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers

extension FaultRow {
    /// What real clients send, mutated.
    static let malformed = FaultRow("malformed", "messages of real clients, mutated", short: 1, long: 1) { rig in
        let worker = try await rig.worker()
        let seeds = try MessageMutator.fixtures()
        var mutator = MessageMutator(seed: UInt64(rig.round + 1))
        let count = rig.isLong ? 100_000 : 3_000
        var memory: [Int] = []
        for sent in stride(from: 0, to: count, by: 500) {
            var push = RedisCommand("LPUSH", "celery")
            for _ in 0..<500 { push.append(mutator.mutated(seeds[Int.random(in: seeds.indices, using: &mutator)])) }
            _ = try await rig.broker.client.send(push)
            try await eventually("the worker has taken what was sent", within: .seconds(60)) {
                if worker.status != nil { throw TestServerError("the worker ended") }
                let report = try await rig.broker.queues().first { $0.queue == "celery" }
                return report?.waiting == 0 && report?.leased == 0
            }
            if sent >= count / 10 { memory.append(residentMemory(of: worker.id)) }
        }
        try await rig.expectService(isRecovery: false)
        // What is put off to its time is scheduled, and counted as done only then.
        try await eventually("every message is accounted for") {
            let done = try await rig.broker.workers().first?.vitals.done ?? 0
            let scheduled = try await rig.broker.queues().reduce(0) { $0 + $1.delayed }
            return done + scheduled >= count
        }
        if let first = memory.first, let last = memory.last {
            rig.note("\(first >> 10) KiB after a tenth, \(last >> 10) KiB at the end")
            rig.expect(last - first < 5 << 20, "the memory stays flat, not \((last - first) >> 10) KiB more")
        }
    }

    /// A worker's memory after very many tasks.
    static let memory = FaultRow(
        "memory", "a worker's memory over a million tasks, one in ten failing", short: 1, long: 1
    ) {
        rig in
        let worker = try await rig.worker()
        let plain = rig.app.reference("plain", taking: Int.self, returning: JSON.self)
        let count = rig.isLong ? 1_000_000 : 20_000
        var done = 0
        var memory: [Int] = []
        while done < count {
            try await rig.app.enqueue((done..<(done + 1000)).map { try plain.signature($0) })
            done += 1000
            try await eventually("the worker keeps up", within: .seconds(60)) {
                Int(try await rig.server.cli("LLEN", "celery")) ?? 0 < 2000
            }
            if done >= count / 10 { memory.append(residentMemory(of: worker.id)) }
        }
        try await eventually("all are counted", within: .seconds(30)) {
            let vitals = try await rig.broker.workers().first?.vitals
            return vitals?.done == count && vitals?.failed == count / 10
        }
        memory.append(residentMemory(of: worker.id))
        if let first = memory.first, let last = memory.last {
            rig.note("\(first >> 10) KiB after a tenth, \(last >> 10) KiB at the end")
            rig.expect(last - first < 5 << 20, "the memory grows by less than 5 MiB, not \((last - first) >> 10) KiB")
        }
    }

    /// In bytes.
    private static func residentMemory(of process: Int32) -> Int {
        let statm = (try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)) ?? ""
        return (statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
