// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCrypto
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

@Suite("Signed messages on a Redis server", .timeLimit(.minutes(2)))
struct SigningTests {
    @Test(
        "what somebody writes into the list without a key, or changes there, does not run, and is kept with the reason")
    func forged() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            app.use(signing: MessageSigning(try SigningKeys([try .random(id: "k")]), isRequired: true))
            let add = app.task("add") { (x: Int, y: Int) in x + y }
            let scale = app.task("scale") { (x: Int, factor: Int) in x * factor }
            // Two that are signed: one stays as it is, of the other somebody changes the id.
            let good = try await add.enqueue(2, 3)
            let signed = try await bench.server.cli("LINDEX", "celery", "0")
            #expect(signed.contains(#""chard_sig":"1:k:"#))
            let other = TaskID.random()
            #expect(
                try await bench.server.cli("LPUSH", "celery", signed.replacing(good.id, with: other)) == "2")
            let forged =
                #"{"body":"[[1,1],{},{}]","content-type":"application/json","headers":{"task":"add","id":"forged"},"#
                + #""properties":{}}"#
            #expect(try await bench.server.cli("LPUSH", "celery", forged) == "3")
            try await bench.working(app) { _ in
                #expect(try await good.value(timeout: .seconds(10)) == 5)
                #expect(
                    try await add.signature(1, 1).then(scale, with: 10).enqueue().value(timeout: .seconds(10)) == 20)
                let later = try await add.enqueue(1, 1, in: .seconds(3_600))
                try await app.operator.delayedTasks.runNow(later.id)
                #expect(try await later.value(timeout: .seconds(10)) == 2)
                try await eventually("both are put aside") { try await app.operator.deadLetters.list().count == 2 }
                let unsigned = try #require(try await app.operator.deadLetters.find("forged"))
                #expect(unsigned.reason == .badSignature && unsigned.error.hasPrefix("unsigned: "))
                #expect(String(decoding: unsigned.payload, as: UTF8.self) == forged)
                let changed = try #require(try await app.operator.deadLetters.find(other))
                #expect(changed.reason == .badSignature && changed.error.contains("key k is wrong"), "\(changed.error)")
                #expect(try await app.result(of: other).status().error?.type == "SecurityError")
            }
        }
    }
}
