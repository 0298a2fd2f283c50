// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Task messages")
struct TaskMessageTests {
    let body = MessageBody(Arguments([2, "x"], keywords: ["y": 3]))

    @Test("of ours are short, and hold what a worker needs")
    func ours() throws {
        var message = TaskMessage(task: "add", id: "one", body: body, queue: "celery")
        message.properties.deliveryTag = "tag"
        #expect(
            message.encoded().text
                == #"{"body":"W1syLCJ4Il0seyJ5IjozfSx7fV0=","content-encoding":"utf-8","#
                + #""content-type":"application/json","headers":{"lang":"swift","task":"add","id":"one","#
                + #""argsrepr":"(2, 'x')","kwargsrepr":"{'y': 3}"},"properties":{"correlation_id":"one","#
                + #""reply_to":"","delivery_mode":2,"delivery_info":{"exchange":"","routing_key":"celery"},"#
                + #""priority":0,"body_encoding":"base64","delivery_tag":"tag"}}"#)
    }

    @Test(
        "a large body is sent as text where that is shorter than base64, and read back either way",
        arguments: [
            ("x", 12_000, true), ("x", 40_000, false), ("a line\n", 6_000, false), ("\"", 40_000, true),
            ("\\", 40_000, true), ("\u{20AC}", 20_000, false),
        ])
    func largeBody(piece: String, count: Int, isBase64: Bool) throws {
        let text = String(repeating: piece, count: count)
        let body = MessageBody(Arguments([.string(text)], keywords: ["a": "\"\\"]))
        let message = TaskMessage(task: "t", body: body, queue: "celery")
        let sent = message.encoded()
        #expect(sent.text.contains(#""body_encoding":"base64""#) == isBase64)
        #expect(sent.count < 4_096 + body.encoded().count / 3 * 4)
        let read = try TaskMessage(decoding: sent)
        #expect(try read.decodeBody() == body)
        #expect(read.retried(eta: nil).encoded().text.contains(#""body_encoding":"base64""#) == isBase64)
        // What was read in base64 may be given a body that is not.
        let small = TaskMessage(task: "t", body: MessageBody(Arguments([1])), queue: "celery")
        var changed = try TaskMessage(decoding: small.encoded())
        changed.body = TaskMessage.Body(body)
        #expect(try TaskMessage(decoding: changed.encoded()).decodeBody() == body)
    }

    @Test("a text that is not ASCII goes in base64, since its bytes must stay as they are")
    func rawBody() throws {
        let body = MessageBody(positional: [Array("\"\(String(repeating: "\u{20AC}", count: 20_000))\"".utf8)])
        let sent = TaskMessage(task: "t", body: body, queue: "celery").encoded()
        #expect(sent.text.contains(#""body_encoding":"base64""#))
        #expect(try TaskMessage(decoding: sent).decodeBody() == body)
    }

    @Test("of ours come back as they went")
    func roundTrip() throws {
        var message = TaskMessage(task: "add", body: body, queue: "images")
        message.shadow = "shown \u{20AC} 😀"
        message.eta = Timestamp.date(from: "2030-01-02T03:04:05.678901Z")
        message.expires = Timestamp.date(from: "2031-01-02T03:04:05Z")
        message.group = "g"
        message.groupIndex = 0
        message.retries = 3
        message.timeLimits = TaskMessage.TimeLimits(hard: 30, soft: 20.5)
        message.rootID = "root"
        message.parentID = "parent"
        message.origin = "me"
        message.ignoresResult = false
        message.replacedTaskNesting = 1
        message.stampedHeaders = ["a"]
        message.stamps = ["a": ["b"]]
        message.losses = 2
        message.isRedelivered = true
        message.headers = ["x": [1, 2.0], "task": "not this"]
        message.properties.priority = 6
        message.properties.expiration = "10"
        message.properties.extra = ["p": 1]
        message.properties.deliveryInfo = ["q": nil]
        let read = try TaskMessage(decoding: message.encoded())
        #expect(read.task == "add")
        #expect(read.id == message.id)
        #expect(read.shadow == message.shadow)
        #expect(read.eta == message.eta)
        #expect(read.expires == message.expires)
        #expect(read.group == "g")
        #expect(read.groupIndex == 0)
        #expect(read.retries == 3)
        #expect(read.timeLimits == message.timeLimits)
        #expect(read.rootID == "root")
        #expect(read.parentID == "parent")
        #expect(read.origin == "me")
        #expect(read.ignoresResult == false)
        #expect(read.replacedTaskNesting == 1)
        #expect(read.stampedHeaders == ["a"])
        #expect(read.stamps == ["a": ["b"]])
        #expect(read.losses == 2)
        #expect(read.isRedelivered)
        #expect(read.headers == ["x": [1, 2.0]])
        #expect(read.properties == message.properties)
        #expect(try read.decodeBody() == body)
    }

    static let foreign = Array(
        #"""
        {"headers": {"task": "t", "id": "i", "eta": "2030-01-02 03:04:05", "shadow": null, "retries": 1.5,
        "x-€": {"b": 1, "a": NaN}, "x-old": 1, "timelimit": [3]}, "body": "[[1],{},{}]", "later": [null],
        "properties": {"delivery_info": {"exchange": null, "odd": 1}, "priority": "high", "odd": {}},
        "content-type": "application\/json"}
        """#.utf8)

    @Test("of others are written back byte for byte")
    func verbatim() throws {
        let message = try TaskMessage(decoding: Self.foreign)
        #expect(message.timeLimits == TaskMessage.TimeLimits(hard: 3))
        #expect(message.properties.priority == 0)
        #expect(
            try JSON(parsing: message.encoded()).description == JSON(parsing: Self.foreign).description)
    }

    @Test("of others keep what is not changed")
    func patched() throws {
        var message = try TaskMessage(decoding: Self.foreign)
        message.headers["x-old"] = nil
        message.headers["x-new"] = true
        message.groupIndex = 4
        message.properties.deliveryTag = "new"
        message.properties.extra["odd"] = 7
        let written = try JSON(parsing: message.encoded())
        var expected = try JSON(parsing: Self.foreign)
        expected["headers"]?["x-old"] = nil
        expected["headers"]?["x-new"] = true
        expected["headers"]?["group_index"] = 4
        expected["properties"]?["delivery_tag"] = "new"
        expected["properties"]?["odd"] = 7
        #expect(written.description == expected.description)
    }

    @Test("without properties get them when needed")
    func noProperties() throws {
        let text =
            #"{"headers":{"task":"t","id":"i"},"body":"[[],{},{}]","content-type":"application/json"}"#
        let message = try TaskMessage(decoding: Array(text.utf8)).redelivered(losses: 1)
        let read = try TaskMessage(decoding: message.encoded())
        #expect(read.isRedelivered)
        #expect(read.losses == 1)
        #expect(try read.decodeBody().positional.isEmpty)
    }

    @Test("can be given another body")
    func newBody() throws {
        var message = try TaskMessage(decoding: Fixture.message("task-v2-gzip"))
        message.body = TaskMessage.Body(body)
        let read = try TaskMessage(decoding: message.encoded())
        #expect(try read.decodeBody() == body)
        #expect(read.compression == nil)
        #expect(read.origin == message.origin)
    }

    @Test("of the next attempt")
    func retried() throws {
        let first = try TaskMessage(decoding: Fixture.message("task-v2-options")).redelivered(losses: 2)
        let eta = try #require(Timestamp.date(from: "2033-01-01"))
        let next = try TaskMessage(decoding: first.encoded()).retried(eta: eta)
        let written = try JSON(parsing: next.encoded())
        var expected = try JSON(parsing: Fixture.message("task-v2-options"))
        expected["headers"]?["retries"] = 3
        expected["headers"]?["eta"] = "2033-01-01T00:00:00.000000+00:00"
        expected["properties"]?["delivery_tag"] = .string(next.properties.deliveryTag)
        #expect(written == expected)
        #expect(next.properties.deliveryTag != first.properties.deliveryTag)
        #expect(next.body == first.body)
        let again = try JSON(parsing: next.retried(eta: nil).encoded())
        #expect(again["headers"]?["retries"] == 4)
        #expect(again["headers"]?["eta"] == nil)
    }

    @Test("of the next attempt, which has the same parent, or itself where there was none")
    func retriedParent() {
        var message = TaskMessage(task: "add", id: "a", body: MessageBody(), queue: "q")
        #expect(message.retried(eta: nil).parentID == "a")
        message.parentID = "p"
        #expect(message.retried(eta: nil).parentID == "p")
    }

    @Test("that come back are marked in both places")
    func redelivered() throws {
        let message = try TaskMessage(decoding: Fixture.message("task-v2-basic"))
        #expect(message.losses == 0)
        #expect(!message.isRedelivered)
        let written = try JSON(parsing: message.redelivered(losses: 2).encoded())
        var expected = try JSON(parsing: Fixture.message("task-v2-basic"))
        expected["headers"]?["redelivered"] = true
        expected["headers"]?["chard_losses"] = 2
        expected["properties"]?["delivery_info"]?["redelivered"] = true
        #expect(written == expected)
    }

    @Test(
        "keep whatever stands for the time of sending",
        arguments: ["1763800000", "1763800000.5", "\"x\"", "null", "1e400"])
    func timestamp(text: String) throws {
        let basic = String(decoding: try Fixture.message("task-v2-basic"), as: UTF8.self)
        let stamped = basic.replacing(
            "\"properties\": {", with: "\"properties\": {\"timestamp\": \(text), ", maxReplacements: 1)
        try #require(stamped != basic)
        let message = try TaskMessage(decoding: Array(stamped.utf8))
        #expect(message.properties.timestamp == Int(text))
        let written = String(decoding: message.redelivered(losses: 1).encoded(), as: UTF8.self)
        #expect(written.contains("\"timestamp\": \(text)") || written.contains("\"timestamp\":\(text)"))
    }

    @Test("have ids that are UUIDs of version 4")
    func ids() throws {
        var generator = SeededGenerator(state: 1)
        let ids = (0..<1000).map { _ in TaskID.random(using: &generator) }
        #expect(Set(ids).count == 1000)
        for id in ids + [TaskID.random(), DeliveryTag.next()] {
            let uuid = try #require(UUID(uuidString: id))
            #expect(id == uuid.uuidString.lowercased())
            #expect(uuid.uuid.6 >> 4 == 4)
            #expect(uuid.uuid.8 >> 6 == 0b10)
        }
        #expect(DeliveryTag.next() != DeliveryTag.next())
    }
}
