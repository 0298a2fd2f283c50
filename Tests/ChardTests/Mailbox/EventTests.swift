// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

@testable import Chard

@Suite("Celery's events")
struct EventTests {
    static let names = [
        "event-task-success", "event-task-failed", "event-task-retried", "event-task-revoked",
        "event-task-revoked-expired", "event-task-revoked-terminated", "event-task-rejected", "event-worker-online",
        "event-worker-heartbeat", "event-worker-offline",
    ]

    @Test("of real workers and clients are read", arguments: names)
    func fixtures(_ name: String) throws {
        let messages = try Fixture(name, in: "celery-control").publications.filter { $0.channel.contains("celeryev") }
        #expect(!messages.isEmpty)
        for message in messages {
            let events = WorkerEvent.read(try KombuMessage(decoding: message.payload))
            let bodies = message.body?.array ?? [message.body ?? .null]
            #expect(events.map { JSON.object($0.members) } == bodies)
            for event in events {
                #expect(event.time > Date(timeIntervalSince1970: 1_700_000_000))
                #expect(!event.node.isEmpty && (event.taskID != nil) == event.type.hasPrefix("task-"))
                #expect(WorkerEvent.routingKeys.contains(event.type.replacing("-", with: ".")))
            }
        }
    }

    /// What a Celery worker says of one task, and what ours does, have the same members.
    @Test("ours have what theirs have")
    func members() throws {
        var message = TaskMessage(task: "t", body: MessageBody(Arguments([2, 3])), queue: "celery")
        message.rootID = message.id
        var text = JSONWriter()
        EventWriter(node: "n@h").write("task-received", at: 1.5, clock: 7, to: &text) {
            $0.fields(of: message, texts: ("(2, 3)", "{}"))
        }
        let ours = try #require(WorkerEvent(try JSON(parsing: text.bytes)))
        let theirs = try Fixture("event-task-success", in: "celery-control").publications
            .flatMap { WorkerEvent.read(try KombuMessage(decoding: $0.payload)) }
        let received = try #require(theirs.first { $0.type == "task-received" })
        #expect(Set(ours.members.keys) == Set(received.members.keys))
        #expect(ours.members["args"] == "(2, 3)" && ours.members["clock"] == 7 && ours.node == "n@h")
    }

    @Test("what is more than the buffer holds is left out and counted, and what is sent is in order")
    func buffer() async {
        let buffer = EventBuffer(limit: 990)
        for number in 0..<100 {
            buffer.add { writer in
                writer.separate()
                writer.raw([UInt8](repeating: UInt8(ascii: "0") + UInt8(number % 10), count: 99)[...])
            }
        }
        let batch = await buffer.next()
        #expect(batch?.count == 10)
        #expect(batch?.leftOut == 90)
        #expect(batch?.text.count ?? 0 <= 1_100)
        if let batch { buffer.lose(batch) }
        buffer.add { $0.raw("x") }
        let next = await buffer.next()
        #expect(next?.count == 1 && next?.leftOut == 100)
        buffer.close()
        #expect(await buffer.next() == nil)
        buffer.add { $0.raw("x") }
        #expect(await buffer.next() == nil)
    }

    @Test("one that comes while somebody waits leaves at once")
    func atOnce() async {
        let buffer = EventBuffer()
        async let batch = buffer.next()
        try? await Task.sleep(for: .milliseconds(20))
        buffer.add { $0.raw("x") }
        #expect(await batch?.text == [UInt8(ascii: "x")])
    }
}
