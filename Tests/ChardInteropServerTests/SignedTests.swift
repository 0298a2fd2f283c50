// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCrypto
import ChardRedis
import FoundationEssentials
import TestServers
import Testing

@Suite("Signatures with Celery on the same queues", .serialized, .timeLimit(.minutes(3)))
struct SignedTests {
    @Test(
        "Python runs what is signed as it is; what Python sends without, a worker that asks for signatures keeps and does not run"
    )
    func both() async throws {
        try await RedisServer.with { server in
            let key = try SigningKey.random(id: "k").text
            let app = Chard("test", broker: RedisBroker(try RedisURL(server.url)))
            app.use(signing: MessageSigning(try SigningKeys(key)))
            let add = app.reference("interop.add", taking: Int.self, Int.self, returning: Int.self)
            let python = try Program.peer(["worker", "-Q", "python"], redis: server.url)
            let worker = try Program(
                "interop", ["worker", "-c", "2"],
                environment: [
                    "CHARD_BROKER_URL": server.url, "CHARD_SIGNING_KEYS": key, "CHARD_REQUIRE_SIGNATURES": "true",
                ])
            try await worker.says("ready")
            #expect(try await add.enqueue(2, 3).value(timeout: .seconds(30)) == 5)

            let call = try Program.peer(["call", "add", "--args", "[2, 3]"], redis: server.url)
            try await call.finished()
            let answer = try JSON(parsing: Array(call.output.utf8))
            #expect(answer["state"] == "FAILURE" && answer["exc_type"] == "SecurityError", "\(answer)")
            let id = try #require(answer["id"]?.string)
            let letter = try #require(try await app.operator.deadLetters.find(id))
            #expect(letter.reason == .badSignature && letter.error.contains("not signed"))

            let sent = try Program(
                "chard", ["send", "interop.add", "--args", "[2, 4]", "--wait", "20"],
                environment: ["CHARD_BROKER_URL": server.url, "CHARD_SIGNING_KEYS": key])
            #expect(try await sent.finished() == 0 && sent.output.hasSuffix("6\n"), "\(sent.output)\(sent.talk)")

            try await python.says("ready.")
            #expect(try await add.enqueue(3, 4, queue: "python").value(timeout: .seconds(60)) == 7)
            for program in [worker, python] {
                program.signal(15)
                try await program.finished()
            }
        }
    }
}
