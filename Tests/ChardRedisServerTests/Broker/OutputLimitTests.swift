// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

/// A server that closes the connection of who is sent more than a quarter of a megabyte.
@Suite("A Redis server that closes clients over long answers", .atOnce(4), .timeLimit(.minutes(3)))
struct OutputLimitTests {
    private func with(_ body: (BrokerBench) async throws -> Void) async throws {
        let lines = ["client-output-buffer-limit normal 256kb 256kb 0"]
        try await RedisServer.with(RedisServer.Configuration(lines: lines)) { try await body(BrokerBench(server: $0)) }
    }

    private func large(_ bench: BrokerBench) -> OutgoingMessage {
        bench.message("large", .string(String(repeating: "x", count: 1_000_000)))
    }

    @Test("what does not come is put aside whole, with a reason, and the rest runs, once")
    func mixture() async throws {
        try await with { bench in
            let app = try bench.app()
            let runs = NotStoredTests.Runs()
            let note = app.task("note") { (name: String) in runs.add(name) }
            app.task("large") { (_: String) in runs.add("large") }
            var results: [AsyncResult<Void>] = [try await note.enqueue("a")]
            let messages = [large(bench), large(bench)]
            try await app.broker.send(messages)
            results.append(try await note.enqueue("b"))
            // Together they are more than the server sends, each alone is not.
            for name in ["c", "d", "e", "f"] {
                results.append(try await note.enqueue(name + String(repeating: ".", count: 100_000)))
            }
            let all = results
            try await bench.working(app) { _ in
                for result in all { _ = try await result.value(timeout: .seconds(60)) }
                try await eventually("the large ones are dead letters", within: .seconds(60)) {
                    try await bench.server.cli("ZCARD", "chard:{celery}:dead") == "2"
                }
            }
            #expect(runs["a"] == 1 && runs["b"] == 1 && runs["large"] == 0)
            for message in messages {
                #expect(
                    try await bench.server.cli("HSTRLEN", "chard:{celery}:dead-messages", message.id)
                        == "\(message.payload.count)")
                let status = try await app.results.status(of: message.id)
                #expect(status?.state == .failure && status?.exception?.text.contains("too large") == true)
            }
        }
    }

    @Test("and so where a process is lost that held them")
    func recovery() async throws {
        try await with { bench in
            let broker = try bench.broker()
            let lost = try await bench.consumer()
            try await broker.send([
                bench.message("small"), large(bench), bench.message("small"),
            ])
            // It gets no answer, but the messages are moved.
            let claim = Task { try await lost.claim(upTo: 9) }
            try await eventually("they are held") {
                try await bench.server.cli("LLEN", "chard:{celery}:leased:0:\(lost.identity)") == "3"
            }
            await lost.fallSilent()
            claim.cancel()
            try await broker.declareLost(lost.identity)
            #expect(try await bench.server.cli("LLEN", "celery") == "2")
            #expect(try await bench.server.cli("ZCARD", "chard:{celery}:dead") == "1")
        }
    }
}
