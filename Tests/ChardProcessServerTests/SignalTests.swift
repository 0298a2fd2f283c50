// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("Signals to a worker process", .timeLimit(.minutes(3)))
struct SignalTests {
    @Test(
        "SIGTERM, SIGINT and SIGHUP: what runs is finished, nothing more is taken, exit 0",
        arguments: [SIGTERM, SIGINT, SIGHUP])
    func graceful(signal: Int32) async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "1")
            let running = try await bench.app.send("interop.mark_sleep", Arguments(["graceful", 5, 7]))
            _ = try await bench.marks("graceful", count: 1)
            let waiting = try await bench.app.send("interop.add", Arguments([1, 2]))
            #expect(try await bench.keys("chard:*:leased:*").count >= 1)
            worker.signal(signal)
            try await worker.says(" stops")
            let late = try await bench.app.send("interop.add", Arguments([3, 4]))
            #expect(try await worker.finished() == 0, "\(worker.talk)")
            #expect(worker.talk.contains("has stopped: 1 task done"))
            #expect(try await running.status().result == 7)
            #expect(try await bench.marks("graceful:done").count == 1)
            #expect(try await ids(waitingOn: bench) == [waiting.id, late.id])
            try await isGone(bench)
        }
    }

    @Test("a second SIGTERM: at once, everything back to the front as it was, uncounted")
    func handBack() async throws {
        try await ProcessBench.with { bench in
            let messages = (0..<5).map { RawMessage("interop.mark_sleep", ["back", 60, .integer($0)]) }
            try await bench.push(messages.map(\.payload))
            let worker = try await bench.worker("-c", "2")
            _ = try await bench.marks("back", count: 2)
            worker.signal(SIGTERM)
            try await worker.says(" stops")
            let late = RawMessage("interop.add", [1, 2])
            try await bench.push([late.payload])
            let asked = ContinuousClock.now
            worker.signal(SIGTERM)
            #expect(try await worker.finished(within: .seconds(10)) == 0, "\(worker.talk)")
            #expect(ContinuousClock.now - asked < .seconds(5))
            // Byte for byte: a loss would have been counted in the message.
            let waiting = try await bench.redis(RedisCommand("LRANGE", "celery", 0, -1)).array?.compactMap(\.bytes)
            #expect(waiting?.reversed() == messages.map(\.payload) + [late.payload])
            #expect(try await bench.marks("back:done").isEmpty)
            try await isGone(bench)
        }
    }

    @Test("SIGQUIT: as the second SIGTERM")
    func quit() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "1")
            let message = RawMessage("interop.mark_sleep", ["quit", 60])
            try await bench.push([message.payload])
            _ = try await bench.marks("quit", count: 1)
            worker.signal(SIGQUIT)
            #expect(try await worker.finished(within: .seconds(10)) == 0, "\(worker.talk)")
            #expect(try await bench.redis(RedisCommand("LINDEX", "celery", -1)).bytes == message.payload)
            try await isGone(bench)
        }
    }

    @Test("the grace period: what has not ended by then is handed back")
    func grace() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "1", "--grace", "0.5")
            let message = RawMessage("interop.mark_sleep", ["grace", 60])
            try await bench.push([message.payload])
            _ = try await bench.marks("grace", count: 1)
            worker.signal(SIGTERM)
            #expect(try await worker.finished(within: .seconds(10)) == 0, "\(worker.talk)")
            #expect(try await bench.redis(RedisCommand("LINDEX", "celery", -1)).bytes == message.payload)
            try await isGone(bench)
        }
    }

    @Test("--drain: the worker ends by itself when its queues are empty and all has ended")
    func drain() async throws {
        try await ProcessBench.with { bench in
            let empty = try await bench.worker("--drain", "-c", "2")
            #expect(try await empty.finished(within: .seconds(20)) == 0, "\(empty.talk)")
            let tasks = try await bench.app.enqueue(
                (0..<300).map { Signature("interop.add", Arguments([.integer($0), 1])) })
            let slow = try await bench.app.send("interop.sleepy", Arguments([1, "slow"]))
            let worker = try bench.start("interop", ["worker", "--drain", "-c", "2"])
            #expect(try await worker.finished(within: .seconds(30)) == 0, "\(worker.talk)")
            #expect(worker.talk.contains("has stopped: 301 tasks done"))
            for (number, task) in tasks.enumerated() { #expect(try await task.status().result == .integer(number + 1)) }
            #expect(try await slow.status().result == "slow")
            try await isGone(bench)
        }
    }

    /// A worker that ended in order leaves nothing behind.
    private func isGone(_ bench: ProcessBench) async throws {
        #expect(try await bench.keys("chard:*:leased:*").isEmpty)
        #expect(try await bench.keys("chard:heartbeat*").isEmpty)
        #expect(try await bench.chard("workers", "--json").json == [])
    }

    /// The next one first.
    private func ids(waitingOn bench: ProcessBench) async throws -> [String] {
        let messages = try await bench.redis(RedisCommand("LRANGE", "celery", 0, -1)).array?.compactMap(\.bytes) ?? []
        return try messages.reversed().map { try JSON(parsing: $0)["headers"]?["id"]?.string ?? "" }
    }
}
