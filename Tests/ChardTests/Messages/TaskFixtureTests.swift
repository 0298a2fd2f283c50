// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Messages of real Celery clients")
struct TaskFixtureTests {
    @Test("are there")
    func fixtures() {
        #expect(Fixture.taskNames.count >= 25)
        #expect(Fixture.statusNames.count >= 12)
    }

    @Test("decode, and encode to the same text", arguments: Fixture.taskNames)
    func unchanged(_ name: String) throws {
        for (payload, _) in try Fixture(name).tasks where name != "task-v1" {
            let message = try TaskMessage(decoding: payload)
            #expect(try JSON(parsing: message.encoded()) == JSON(parsing: payload))
        }
    }

    @Test("keep every other member when one is changed", arguments: Fixture.taskNames)
    func changed(_ name: String) throws {
        for (payload, _) in try Fixture(name).tasks where name != "task-v1" {
            var message = try TaskMessage(decoding: payload)
            message.retries = 77
            message.properties.priority = 9
            var expected = try JSON(parsing: payload)
            expected["headers"]?["retries"] = 77
            expected["properties"]?["priority"] = 9
            #expect(try JSON(parsing: message.encoded()) == expected)
        }
    }

    @Test("have the arguments they were sent with", arguments: Fixture.taskNames)
    func bodies(_ name: String) throws {
        for (payload, expected) in try Fixture(name).tasks {
            let expected = try #require(expected)
            let body = try TaskMessage(decoding: payload).decodeBody()
            let arguments = try body.arguments()
            // By text, for NaN is not equal to NaN.
            let args = try #require(expected[0] ?? expected["args"])
            let kwargs = try #require(expected[1] ?? expected["kwargs"])
            #expect(JSON.array(arguments.positional).description == args.description)
            #expect(JSON.object(arguments.keywords).description == kwargs.description)
            let embed = expected[2] ?? expected
            #expect(try body.embed.callbacks.map { try JSON(parsing: $0) } == embed["callbacks"]?.array ?? [])
            #expect(try body.embed.errbacks.map { try JSON(parsing: $0) } == embed["errbacks"]?.array ?? [])
            #expect(try body.embed.chain.map { try JSON(parsing: $0) } == embed["chain"]?.array ?? [])
            #expect(try body.embed.chord.map { try JSON(parsing: $0) } ?? .null == embed["chord"])
        }
    }

    @Test("give every option")
    func options() throws {
        let message = try TaskMessage(decoding: Fixture.message("task-v2-options"))
        #expect(message.task == "interop.add")
        #expect(message.id == "11111111-2222-3333-4444-555555555555")
        #expect(message.language == "py")
        #expect(message.shadow == "shown-name")
        #expect(message.eta == Timestamp.date(from: "2030-01-02T03:04:05.678901Z"))
        #expect(message.expires == Timestamp.date(from: "2030-01-03"))
        #expect(message.retries == 2)
        #expect(message.timeLimits == TaskMessage.TimeLimits(hard: 30, soft: 20.5))
        #expect(message.rootID == "r")
        #expect(message.parentID == "p")
        #expect(message.argumentsText == "(hidden)")
        #expect(message.keywordsText == "{hidden}")
        #expect(message.origin == "gen22434@pyclient")
        #expect(message.ignoresResult == true)
        #expect(message.headers == ["x-trace": "abc"])
        #expect(message.stamps.isEmpty)
        #expect(message.group == nil)
        #expect(message.properties.priority == 6)
        #expect(message.properties.replyTo == "my-reply")
        #expect(message.properties.routingKey == "py")
        #expect(message.properties.exchange == "")
        #expect(message.properties.expiration == "98335355801")
        #expect(message.properties.deliveryMode == 2)
        #expect(message.properties.correlationID == message.id)
        #expect(message.properties.deliveryTag == "44058e04-045f-4a07-bfe1-812611e05bc3")
        #expect(message.properties.extra == ["argsrepr": "(hidden)", "kwargsrepr": "{hidden}"])
    }

    @Test("give stamps, groups and beat's mark")
    func workflow() throws {
        let stamped = try TaskMessage(decoding: Fixture.message("task-v2-stamped"))
        #expect(stamped.stampedHeaders?.isEmpty == false)
        #expect(!stamped.stamps.isEmpty)
        let tasks = try Fixture("group").tasks
        let members = try tasks.map { try TaskMessage(decoding: $0.payload) }
        #expect(members.map(\.groupIndex) == [0, 1])
        #expect(Set(members.map(\.group)).count == 1)
        let beat = try TaskMessage(decoding: Fixture.message("beat-message"))
        #expect(beat.headers["celery_beat_task"] == true)
    }

    @Test("of protocol 1 become messages of protocol 2")
    func protocolOne() throws {
        let message = try TaskMessage(decoding: Fixture.message("task-v1"))
        #expect(message.task == "interop.add")
        #expect(message.id == "v1-id")
        #expect(message.rootID == "v1-id")
        #expect(message.eta == Timestamp.date(from: "2026-11-21T20:37:31.395053+00:00"))
        #expect(message.expires == Timestamp.date(from: "2026-11-21T20:47:26.395053+00:00"))
        #expect(message.argumentsText == "(2,)")
        let again = try TaskMessage(decoding: message.encoded())
        #expect(again.id == "v1-id")
        #expect(again.eta == message.eta)
        #expect(again.properties == message.properties)
        #expect(try again.decodeBody().arguments() == Arguments([2], keywords: ["y": 3]))
    }

    @Test("in pickle are refused by name")
    func pickle() throws {
        let error = #expect(throws: MessageError.self) {
            try TaskMessage(decoding: Fixture.message("task-v2-pickle"))
        }
        #expect(error?.code == .unsupportedContentType)
        #expect(error?.message.contains("application/x-python-serialize") == true)
        #expect(error?.partialTask == "interop.add")
        #expect(error?.partialID?.utf8.count == 36)
    }

    @Test("carry typed values that Swift reads as its own")
    func types() throws {
        let body = try TaskMessage(decoding: Fixture.message("task-v2-types")).decodeBody()
        let keywords = Dictionary(uniqueKeysWithValues: body.keywords.map { ($0.name, $0.value) })
        func read<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
            try JSON.decode(type, from: #require(keywords[name]))
        }
        #expect(try read(CalendarDate.self, "date") == CalendarDate(year: 2024, month: 2, day: 29))
        #expect(
            try read(ClockTime.self, "time") == ClockTime(hour: 12, minute: 30, second: 1, microsecond: 5)
        )
        #expect(try read([Int].self, "tuple") == [1, 2])
        #expect(throws: DecodingError.self) { try read(CalendarDate.self, "time") }
        // An echo changes nothing.
        for keyword in body.keywords {
            let json = try JSON.decode(JSON.self, from: keyword.value)
            #expect(try JSON(parsing: JSON.encode(json)) == JSON(parsing: keyword.value))
        }
    }
}
