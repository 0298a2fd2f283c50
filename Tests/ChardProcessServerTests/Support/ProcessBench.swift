// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials
import TestServers
import Testing

/// A Redis server, and the package's own programs on it as processes of their own, the way a user has them.
struct ProcessBench: Sendable {
    let server: RedisServer
    let broker: RedisBroker
    let app: Chard

    static func with(
        _ configuration: RedisServer.Configuration = RedisServer.Configuration(),
        _ body: (ProcessBench) async throws -> Void
    ) async throws {
        try await RedisServer.with(configuration) { server in
            let broker = RedisBroker(try RedisURL(server.url))
            do {
                try await body(
                    ProcessBench(server: server, broker: broker, app: Chard("test", broker: broker)))
            } catch {
                await broker.shutdown()
                throw error
            }
            await broker.shutdown()
        }
    }

    // MARK: Programs

    /// Starts the `interop` example's worker and waits until it takes work.
    func worker(_ options: String...) async throws -> Program {
        let worker = try start("interop", ["worker"] + options)
        try await worker.says("is ready")
        return worker
    }

    /// Starts a program that knows of the server by its environment alone.
    func start(_ program: String, _ words: [String]) throws -> Program {
        try Program(program, words, environment: ["CHARD_BROKER_URL": server.url])
    }

    /// Runs a command of `chard` to its end.
    func chard(_ words: String...) async throws -> CommandRun {
        try await CommandRun(start("chard", words))
    }

    /// Ends a worker with SIGTERM, and expects it to say that it has done so many tasks.
    func stop(_ worker: Program, done count: Int? = nil) async throws {
        worker.signal(15)
        #expect(try await worker.finished() == 0, "\(worker.talk)")
        guard let count else { return }
        #expect(worker.talk.contains("has stopped: \(count) task\(count == 1 ? "" : "s") done"), "\(worker.talk)")
    }

    // MARK: The server

    /// Puts bytes on a queue's list as they are.
    func push(_ payloads: [[UInt8]], to queue: String = "celery") async throws {
        // Few enough at a time that no single command is a burden.
        for start in stride(from: 0, to: payloads.count, by: 100) {
            var push = RedisCommand("LPUSH", queue)
            push.append(contentsOf: payloads[start..<min(start + 100, payloads.count)])
            _ = try await broker.client.send(push)
        }
    }

    /// Runs a command on the server.
    func redis(_ command: RedisCommand) async throws -> RESPValue {
        try await broker.client.send(command)
    }

    /// The keys that match a pattern.
    func keys(_ pattern: String) async throws -> [String] {
        try await redis(RedisCommand("KEYS", pattern)).array?.compactMap(\.text) ?? []
    }

    /// Whether nothing waits in the queue, at whatever priority, and no process holds anything: both at one moment.
    func isQuiet(_ queue: String = "celery") async throws -> Bool {
        let look = RedisCommand(
            "EVAL", "return redis.call('EXISTS', unpack(KEYS)) + #redis.call('KEYS', 'chard:*:leased:*')", 4, queue,
            "\(queue)\u{6}\u{16}3", "\(queue)\u{6}\u{16}6", "\(queue)\u{6}\u{16}9")
        return try await redis(look).integer == 0
    }

    /// What the tasks `mark` and `mark_sleep` have left under a key, in order.
    func marks(_ key: String) async throws -> [Mark] {
        try await redis(RedisCommand("LRANGE", "interop:\(key)", 0, -1)).array?.compactMap(\.bytes).map(Mark.init) ?? []
    }

    /// Waits until there are as many marks.
    func marks(_ key: String, count: Int, within limit: Duration = .seconds(20)) async throws -> [Mark] {
        try await eventually("there are \(count) marks \(key)", within: limit) { try await marks(key).count >= count }
        return try await marks(key)
    }
}

/// A trace that a task has left of one of its runs.
struct Mark: Sendable {
    let value: JSON
    let time: Double
    let processID: Int32

    init(_ entry: [UInt8]) throws {
        let json = try JSON(parsing: entry)
        value = json["value"] ?? .null
        time = try #require(json["time"]?.number)
        processID = Int32(try #require(json["pid"]?.integer))
    }
}
