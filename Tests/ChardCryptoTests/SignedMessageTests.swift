// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardCrypto
import Foundation
import Testing

@testable import Chard

@Suite("What a signature covers")
struct SignedMessageTests {
    private let signing: MessageSigning

    init() throws {
        signing = MessageSigning(try SigningKeys([try .random(id: "k")]), isRequired: true)
    }

    private func message() -> TaskMessage {
        var message = TaskMessage(
            task: "shop.add", id: "7", body: MessageBody(Arguments([2, 3])), queue: "celery")
        message.rootID = "1"
        message.parentID = "2"
        message.group = "3"
        message.groupIndex = 4
        message.retries = 1
        message.eta = Date(timeIntervalSince1970: 1_800_000_000.25)
        message.expires = Date(timeIntervalSince1970: 1_800_000_060)
        message.headers = ["tenant": "a", "limits": ["rate": 1.5, "n": [1, nil]]]
        return message
    }

    private func travelled(_ message: TaskMessage) throws -> TaskMessage {
        try TaskMessage(decoding: message.encoded())
    }

    @Test("it is made of these bytes, as docs/wire.md says")
    func bytes() throws {
        let expected =
            "15:chard-message-1,8:shop.add,1:7,1:1,1:2,1:3,1:4,32:2027-01-15T08:00:00.250000+00:00,"
            + "32:2027-01-15T08:01:00.000000+00:00,1:1,-,49:{\"limits\":{\"n\":[1,null],\"rate\":1.5},\"tenant\":\"a\"},"
            + "13:[[2,3],{},{}],"
        #expect(String(decoding: try message().signedBytes(), as: UTF8.self) == expected)
        let plain = TaskMessage(task: "t", id: "é", body: MessageBody(), queue: "q")
        #expect(
            String(decoding: try plain.signedBytes(), as: UTF8.self)
                == "15:chard-message-1,1:t,2:é,-,-,-,-,-,-,1:0,-,2:{},10:[[],{},{}],")
    }

    @Test("it is good after the way through a broker, and through what others' libraries make of the text")
    func travels() throws {
        let signed = signing.signing(message())
        try signing.check(signed)
        try signing.check(try travelled(signed))
        // Python's json writes it anew: spaces, another order, other escapes.
        var tree = try JSON(parsing: signed.encoded())
        try signing.check(try TaskMessage(decoding: tree.encoded()))
        tree["body"] = .string(#"[[2,3],{},{}]"#)
        tree["properties"] = ["delivery_tag": "x", "delivery_info": ["routing_key": "celery"]]
        let spaced = String(decoding: tree.encoded(), as: UTF8.self).replacingOccurrences(
            of: "[[2,3]", with: #"\u005b[2,3]"#)
        try signing.check(try TaskMessage(decoding: Array(spaced.utf8)))
    }

    typealias Change = @Sendable (inout TaskMessage) -> Void

    private static let changes: [(String, Change)] = [
        ("task", { $0.task = "shop.ad" }), ("id", { $0.id = "8" }), ("root", { $0.rootID = nil }),
        ("parent", { $0.parentID = "1" }), ("group", { $0.group = "4" }), ("index", { $0.groupIndex = 3 }),
        ("eta", { $0.eta = nil }), ("eta by a microsecond", { $0.eta?.addTimeInterval(0.000_001) }),
        ("expires", { $0.expires?.addTimeInterval(1) }), ("retries", { $0.retries = 0 }),
        ("body", { $0.body = TaskMessage.Body(MessageBody(Arguments([2, 4]))) }),
        (
            "embed",
            {
                $0.body = TaskMessage.Body(
                    MessageBody(Arguments([2, 3]), embed: Embed(callbacks: [["task": "shop.pay"]])))
            }
        ),
        ("compression", { $0.compression = "application/x-gzip" }),
        ("a header", { $0.headers["tenant"] = "b" }), ("no header", { $0.headers["tenant"] = nil }),
        ("a new header", { $0.headers["admin"] = true }), ("a policy", { $0.headers["chard_retry"] = [:] }),
        ("its key", { $0.headers["chard_sig"] = "1:other:AAAA" }), ("itself", { $0.headers["chard_sig"] = "1:k:AAAA" }),
        ("its form", { $0.headers["chard_sig"] = 7 }), ("its version", { $0.headers["chard_sig"] = "2:k:AAAA" }),
        ("its absence", { $0.headers["chard_sig"] = nil }),
    ]

    @Test("no change of what decides on what runs is missed", arguments: changes.indices)
    func tampering(_ index: Int) throws {
        let (name, change) = Self.changes[index]
        var forged = try travelled(signing.signing(message()))
        change(&forged)
        forged = try travelled(forged)
        let error = #expect(throws: MessageError.self, "\(name)") { try signing.check(forged) }
        #expect(error?.code == (name == "its absence" ? .unsigned : .badSignature))
        #expect(error?.partialID == forged.id && error?.partialTask == forged.task)
    }

    @Test("what brokers, workers and operators change on the way is no matter")
    func movement() throws {
        var moved = try travelled(signing.signing(message()))
        moved = LossSeal.random().sealing(moved.redelivered(losses: 2))
        moved.headers["chard_revoked"] = true
        moved.headers["chard_steps"] = true
        moved.headers["chard_rate_limited"] = true
        moved.properties.priority = 9
        moved.properties.routingKey = "other"
        moved.properties.deliveryTag = "new"
        moved.argumentsText = "(…)"
        try signing.check(try travelled(moved))
    }

    @Test("what is not required is let pass, unless it is wrong")
    func notRequired() throws {
        let lenient = MessageSigning(signing.signer)
        try lenient.check(message())
        var forged = signing.signing(message())
        try lenient.check(forged)
        forged.id = "8"
        #expect(throws: MessageError.self) { try lenient.check(forged) }
    }

    @Test("what a Python worker tries again has the header of what it was, and counts as not signed")
    func pythonsRetry() throws {
        var again = signing.signing(message())
        again.retries += 1
        again.language = "py"
        try MessageSigning(signing.signer).check(again)
        #expect(throws: MessageError.self) { try signing.check(again) }
    }

    @Test("a message of protocol 1 and one whose body cannot be read are refused like others")
    func oddities() throws {
        let old = try TaskMessage(
            decoding: Array(
                #"{"body":"{\"task\":\"t\",\"id\":\"1\",\"args\":[]}","content-type":"application/json","properties":{}}"#
                    .utf8))
        #expect(throws: MessageError.self) { try signing.check(old) }
        let broken = try TaskMessage(
            decoding: Array(
                (#"{"body":"A","content-type":"application/json","headers":{"task":"t","id":"1","chard_sig":"1:k:AAAA"},"#
                    + #""properties":{"body_encoding":"base64"}}"#).utf8))
        #expect(throws: MessageError.self) { try signing.check(broken) }
    }
}
