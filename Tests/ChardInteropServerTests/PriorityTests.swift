// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials
import TestServers
import Testing

/// Ten steps and a colon between queue and step, as Celery's documentation proposes them for Redis, on both sides.
@Suite("Ten priorities with Celery's own clients and workers", .serialized, .timeLimit(.minutes(3)))
struct PriorityTests {
    private static let python = [
        "BROKER_TRANSPORT_OPTIONS": #"{"priority_steps": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "sep": ":"}"#
    ]

    /// The ways in which a program of ours is told so.
    enum Way: CaseIterable, Sendable {
        case environment, url

        func environment(_ url: String) -> [String: String] {
            switch self {
            case .environment:
                [
                    "CHARD_BROKER_URL": url, "CHARD_PRIORITY_STEPS": "0,1,2,3,4,5,6,7,8,9",
                    "CHARD_PRIORITY_SEPARATOR": ":",
                ]
            case .url: ["CHARD_BROKER_URL": url + "?priority_steps=0,1,2,3,4,5,6,7,8,9&sep=:"]
            }
        }
    }

    private func marks(_ key: String, _ broker: RedisBroker) async throws -> [Int] {
        let entries = try await broker.client.send(RedisCommand("LRANGE", "interop:\(key)", 0, -1)).array ?? []
        return try entries.compactMap { try JSON(parsing: $0.bytes ?? [])["value"]?.integer }
    }

    private let shuffled = [7, 2, 9, 0, 5, 1, 8, 3, 6, 4]

    @Test("Celery sends all ten, and Swift runs them in their order", arguments: Way.allCases)
    func toSwift(_ way: Way) async throws {
        try await RedisServer.with { server in
            let broker = RedisBroker(try RedisURL(server.url))
            for priority in shuffled {
                let sent = try Program.peer(
                    [
                        "call", "mark", "--args", "[\"order\", \(priority)]", "--priority", "\(priority)", "--no-wait",
                    ], redis: server.url, environment: Self.python)
                try #require(try await sent.finished() == 0, "\(sent.talk)")
            }
            let worker = try Program("interop", ["worker", "-c", "1"], environment: way.environment(server.url))
            try await worker.says("ready")
            try await eventually("all have run") { try await marks("order", broker).count == 10 }
            #expect(try await marks("order", broker) == Array(0...9))
            // The worker has made its queue known: a client of Celery's can still read the routing table.
            let again = try Program.peer(
                ["call", "add", "--args", "[2, 3]", "--priority", "4"], redis: server.url, environment: Self.python)
            #expect(try await again.finished() == 0, "\(again.talk)")
            worker.signal(15)
            #expect(try await worker.finished() == 0, "\(worker.talk)")
            await broker.shutdown()
        }
    }

    @Test("Swift sends all ten, and Celery's worker runs them all; remote control finds it")
    func toPython() async throws {
        try await RedisServer.with { server in
            let broker = RedisBroker(
                try RedisURL(server.url),
                settings: RedisSettings(priorities: try PrioritySteps(Array(0...9), separator: ":")))
            let app = Chard("test", broker: broker)
            let add = app.reference("interop.add", taking: Int.self, Int.self, returning: Int.self)
            var results: [AsyncResult<Int>] = []
            for priority in shuffled {
                results.append(try await add.enqueue(priority, 100, options: EnqueueOptions(priority: priority)))
            }
            let python = try Program.peer(["worker", "-c", "1"], redis: server.url, environment: Self.python)
            try await python.says("ready.")
            for (priority, result) in zip(shuffled, results) {
                #expect(try await result.value(timeout: .seconds(30)) == priority + 100)
            }
            let answers = try await app.operator.remote.ask("ping", for: .seconds(3))
            #expect(answers.count == 1, "\(answers)")
            python.signal(15)
            try await python.finished()
            await broker.shutdown()
        }
    }
}
