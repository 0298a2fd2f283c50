// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardCrypto
import ChardTesting
import Foundation
import Testing

@testable import Chard

@Suite("Values that are sealed", .timeLimit(.minutes(1)))
struct SealedTests {
    private struct Card: Codable, Sendable, Hashable {
        var number: String
    }

    private let card = Card(number: "4111-secret")
    private let keys: SealingKeys

    init() throws {
        keys = try SealingKeys(try SealingKeys.randomText(id: "k"))
    }

    @Test("AES-256-GCM opens what another implementation has sealed")
    func knownAnswer() throws {
        // Python's cryptography: AESGCM(bytes(range(32))).encrypt(bytes(range(12)), b'{"number":"1"}', b"chard-sealed-1:card")
        let keys = try SealingKeys("k:aes:\(Base64.encode(Array(0..<32)))")
        let sealed = try #require(Sealed<Card>("sealed:1:k:AAECAwQFBgcICQoLPCC4bqiHp2mve7W6k5T+3Qr+RthzqtFk5VhMotWz"))
        #expect(try keys.open(sealed, for: "card") == Card(number: "1"))
    }

    @Test("only its key opens it, only for its purpose, and only as it is")
    func opens() throws {
        let sealed = try keys.seal(card, for: "card")
        #expect(try keys.open(sealed, for: "card") == card)
        #expect(try sealed != keys.seal(card, for: "card"))
        #expect(!sealed.text.contains("4111") && "\(sealed)" == "sealed with k")
        func code(_ body: () throws -> Card) -> UnsealError.Code? {
            #expect(throws: UnsealError.self) { try body() }?.code
        }
        #expect(code { try keys.open(sealed, for: "cards") } == .wrong)
        #expect(code { try SealingKeys(try SealingKeys.randomText(id: "k")).open(sealed, for: "card") } == .wrong)
        #expect(
            code { try SealingKeys(try SealingKeys.randomText(id: "other")).open(sealed, for: "card") } == .unknownKey)
        let prefix = "sealed:1:k:"
        let bytes = try #require(Base64.decode(String(sealed.text.dropFirst(prefix.count))))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            let text = prefix + Base64.encode(changed)
            #expect(code { try keys.open(try #require(Sealed<Card>(text)), for: "card") } == .wrong)
        }
        let short = try #require(Sealed<Card>(prefix + "AAAA"))
        #expect(code { try keys.open(short, for: "card") } == .wrong)
    }

    @Test("keys are exchanged: the first seals, all open")
    func rotation() throws {
        let (old, new) = (try SealingKeys.randomText(id: "old"), try SealingKeys.randomText(id: "new"))
        let before = try SealingKeys(old).seal(card, for: "card")
        let both = try SealingKeys("\(new),\(old)")
        #expect(both.ids == ["new", "old"] && "\(both)" == "new,old")
        #expect(try both.open(before, for: "card") == card)
        #expect(try both.seal(card, for: "card").keyID == "new")
        #expect(throws: UnsealError.self) { try SealingKeys(new).open(before, for: "card") }
    }

    @Test(
        "a key that is none is told so, without the key",
        arguments: [("", "no key"), ("k:hmac:AAAA", "kind aes"), ("k:aes:U0VDUkVU", "6 bytes"), ("k:aes:?", "base64")])
    func nonsense(_ text: String, _ part: String) throws {
        let error = #expect(throws: AppError.self) { try SealingKeys(text) }
        #expect(error?.description.contains(part) == true && error?.description.contains("U0VD") == false)
    }

    @Test("an argument and a result stay sealed through a chord, a retry, failures and whatever shows them")
    func workflows() async throws {
        struct Trouble: Error {}
        let app = Chard("app")
        let queue = TestQueue(app)
        app.dependencies.register(keys)
        let retried = TaskOptions(retry: .constant(maxRetries: 1, delay: .seconds(1)))
        let charge = app.task("charge", parameters: ["card"], options: retried) {
            (context: TaskContext, card: Sealed<Card>) in
            let keys = try context.dependencies.get(SealingKeys.self)
            return try keys.seal("receipt-" + keys.open(card, for: "card").number, for: "receipt")
        }
        let collect = app.task("collect") { (context: TaskContext, receipts: [Sealed<String>]) in
            let keys = try context.dependencies.get(SealingKeys.self)
            return try receipts.map { try keys.open($0, for: "receipt") == "receipt-4111-secret" }
        }
        let all = try await group(try (0..<3).map { _ in try charge.signature(try keys.seal(card, for: "card")) })
            .then(collect).enqueue()
        queue.failNext(charge, with: Trouble())
        try await queue.run(for: .seconds(10))
        #expect(try await all.value(timeout: .seconds(1)) == [true, true, true])
        let one = try await charge.enqueue(try keys.seal(card, for: "card"))
        try await queue.drain()
        let receipt = try await one.value(timeout: .seconds(1))
        #expect(try keys.open(receipt, for: "receipt") == "receipt-4111-secret")
        for message in queue.messages {
            let texts = String(decoding: message.encoded() + (try message.decodeBody().encoded()), as: UTF8.self)
            #expect(!texts.contains("4111"), "\(texts)")
        }
        let status = try #require(try await queue.broker.status(of: one.id))
        #expect(!String(decoding: status.encoded(), as: UTF8.self).contains("4111"))
    }

    @Test("what is not sealed is refused, and the message kept: nobody gets around it by sending the value as it is")
    func plain() async throws {
        let app = Chard("app")
        let queue = TestQueue(app)
        app.task("charge", parameters: ["card"]) { (card: Sealed<Card>) in card.keyID }
        let sent = try await app.send("charge", Arguments([["number": "1"]]))
        let text = try await app.send("charge", Arguments(["sealed:2:k:AAAA"]))
        try await queue.drain()
        for id in [sent.id, text.id] {
            #expect(try await app.operator.deadLetters.find(id)?.reason == .badArguments)
        }
    }
}
