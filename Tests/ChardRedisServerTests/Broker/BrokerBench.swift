// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers

@testable import ChardRedis

/// A server with brokers on it.
struct BrokerBench {
    let server: RedisServer

    static func with<Value>(_ body: (BrokerBench) async throws -> Value) async throws -> Value {
        try await RedisServer.with { server in try await body(BrokerBench(server: server)) }
    }

    /// Settings by which a lost process is noticed within five seconds rather than fourteen.
    static var quick: RedisSettings {
        var settings = RedisSettings()
        settings.lease = .seconds(4)
        settings.heartbeat = .seconds(1)
        settings.recovery = .seconds(1)
        return settings
    }

    func broker(_ settings: RedisSettings = RedisSettings()) throws -> RedisBroker {
        RedisBroker(try RedisURL(server.url), settings: settings)
    }

    func app(_ settings: RedisSettings = RedisSettings()) throws -> Chard {
        Chard("test", broker: try broker(settings))
    }

    func consumer(
        _ queues: [String] = ["celery"], settings: RedisSettings = RedisSettings()
    ) async throws -> RedisConsumer {
        let broker = try broker(settings)
        let subscription = Subscription(queues: queues, node: "test", concurrency: 4, startedAt: .now)
        let consumer = try await broker.consumer(for: subscription)
        guard let consumer = consumer as? RedisConsumer else { throw TestServerError("no Redis consumer") }
        return consumer
    }

    /// How many connections wait in a blocking pop just now.
    func blockingPops() async throws -> Int {
        try await server.cli("CLIENT", "LIST").split(separator: "\n").count { $0.contains(" flags=b ") }
    }

    /// Runs a worker of `app` while `body` runs, then stops it gracefully.
    func working<Value: Sendable>(
        _ app: Chard, _ options: WorkerOptions = WorkerOptions(concurrency: 4),
        _ body: @Sendable (Worker) async throws -> Value
    ) async throws -> Value {
        let worker = Worker(app, options: options)
        let isReady = Signal()
        async let running: Void = worker.run { isReady.fire() }
        await isReady.wait()
        do {
            let value = try await body(worker)
            worker.stop(.gracefully)
            try await running
            return value
        } catch {
            worker.stop(.now)
            try await running
            throw error
        }
    }

    /// The end of a task that simply succeeded.
    func success(_ delivery: Delivery, _ id: String) -> Settlement {
        let status = StatusRecord(TaskStatus(id: id, state: .success), timeToLive: .seconds(60))
        return Settlement(delivery, [.store(status)])
    }

    func message(_ task: String, _ arguments: JSON..., queue: String = "celery", priority: Int = 0) -> OutgoingMessage {
        var message = TaskMessage(task: task, body: MessageBody(Arguments(arguments)), queue: queue)
        message.properties.priority = priority
        return OutgoingMessage(id: message.id, queue: queue, priority: priority, payload: message.encoded())
    }
}
