// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("Signals to a supervisor", .timeLimit(.minutes(3)))
struct SupervisorTests {
    @Test("SIGHUP: every process is replaced, what runs is finished, and the service has no gap")
    func renewal() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--processes", "2", "-c", "2", "-n", "pool")
            try await eventually("both work") { try await processes(bench).count == 2 }
            let before = try await processes(bench)
            let running = try await bench.app.send("interop.mark_sleep", Arguments(["renewal", 3, "kept"]))
            _ = try await bench.marks("renewal", count: 1)
            supervisor.signal(SIGHUP)
            var slowest = Duration.zero
            try await eventually("both are others", within: .seconds(30)) {
                let asked = ContinuousClock.now
                let sum = try await bench.app.send("interop.add", Arguments([1, 2]))
                _ = try await sum.value(timeout: .seconds(10))
                slowest = max(slowest, .now - asked)
                let present = try await processes(bench)
                return present.count == 2 && present.isDisjoint(with: before)
            }
            #expect(slowest < .seconds(2), "the service had a gap")
            #expect(try await running.value(timeout: .seconds(5)) == "kept")
            #expect(try await bench.marks("renewal").count == 1)
            #expect(before.allSatisfy { kill($0, 0) != 0 })
            // And again, as after each deployment.
            let second = try await processes(bench)
            supervisor.signal(SIGHUP)
            try await eventually("both are others once more", within: .seconds(30)) {
                let present = try await processes(bench)
                return present.count == 2 && present.isDisjoint(with: second)
            }
            supervisor.signal(SIGTERM)
            #expect(try await supervisor.finished() == 0, "\(supervisor.talk)")
        }
    }

    @Test("SIGQUIT: all processes hand back what they hold, uncounted, and end")
    func quit() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--processes", "2", "-c", "1", "-n", "pool")
            let messages = (0..<2).map { RawMessage("interop.mark_sleep", ["quit", 60, .integer($0)]) }
            try await bench.push(messages.map(\.payload))
            _ = try await bench.marks("quit", count: 2)
            supervisor.signal(SIGQUIT)
            #expect(try await supervisor.finished(within: .seconds(10)) == 0, "\(supervisor.talk)")
            let waiting =
                try await bench.redis(RedisCommand("LRANGE", "celery", 0, -1)).array?.compactMap(\.bytes) ?? []
            #expect(Set(waiting) == Set(messages.map(\.payload)))
            #expect(try await bench.keys("chard:leased:*").isEmpty)
        }
    }

    private func processes(_ bench: ProcessBench) async throws -> Set<Int32> {
        let workers = try await bench.chard("workers", "--json").json.array ?? []
        return Set(workers.compactMap { $0["pid"]?.integer.map { Int32($0) } })
    }
}
