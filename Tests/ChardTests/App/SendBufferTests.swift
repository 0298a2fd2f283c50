// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Messages kept while the broker is away", .timeLimit(.minutes(1)))
struct SendBufferTests {
    let broker = RecordingBroker()
    let app: Chard

    init() {
        var settings = Settings()
        settings.sendBuffer = 5
        app = Chard("app", broker: broker, settings: settings)
    }

    private func send(_ ids: String...) async throws {
        for id in ids { try await app.send("t", options: EnqueueOptions(id: id)) }
    }

    private var sent: [String] { broker.sent.all.flatMap { $0.map(\.id) } }

    @Test("they are sent in order when it is back, those that came meanwhile after them")
    func order() async throws {
        try await send("a")
        broker.refuse(with: BrokerError(.unavailable, "away"))
        try await send("b", "c", "d")
        #expect(sent == ["a"])
        broker.refuse(with: nil)
        try await send("e")
        try await eventually("all are sent") { sent.count == 5 }
        #expect(sent == ["a", "b", "c", "d", "e"])
        try await eventually("the buffer is empty") { app.buffer?.count == 0 }
        try await send("f")
        #expect(sent.last == "f")
    }

    @Test("the sender is told whether the broker has its message or this process")
    func placement() async throws {
        #expect(try await app.send("t").placement == .queued)
        broker.refuse(with: BrokerError(.unavailable, "away"))
        #expect(try await app.send("t").placement == .buffered)
    }

    @Test("when it is full the caller is told, and what is kept stays")
    func full() async throws {
        broker.refuse(with: BrokerError(.refused, "loading"))
        try await send("1", "2", "3", "4", "5")
        let error = await thrown(BrokerError.self) { try await send("6") }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "the broker is away and the buffer of 5 messages is full")
        broker.refuse(with: nil)
        try await eventually("all are sent") { sent == ["1", "2", "3", "4", "5"] }
    }

    @Test("an error that waiting does not mend reaches the caller")
    func hopeless() async {
        broker.refuse(with: BrokerError(.unauthorized, "who are you"))
        let error = await thrown(BrokerError.self) { try await send("a") }
        #expect(error?.code == .unauthorized)
        #expect(app.buffer?.count == 0)
    }

    @Test("what is refused for good is not sent again and again with all the rest, nor keeps it")
    func oneQueueRefused() async throws {
        func send(_ id: String, to queue: String) async throws {
            try await app.send("t", options: EnqueueOptions(queue: queue, id: id))
        }
        broker.refuse(with: BrokerError(.unavailable, "away"))
        try await send("1", to: "good")
        try await send("2", to: "bad")
        try await send("3", to: "good")
        broker.refuse(queue: "bad")
        broker.refuse(with: nil)
        try await eventually("what can be sent is sent") { sent == ["1", "3"] && app.buffer?.count == 1 }
        try await send("4", to: "good")
        try await eventually("the queue's refusal is known") {
            await thrown(BrokerError.self) { try await send("5", to: "bad") }?.code == .damaged
        }
        #expect(sent == ["1", "3", "4"])
        broker.refuse(queue: nil)
        try await eventually("what was kept is sent once that is mended", within: .seconds(10)) {
            sent.prefix(4) == ["1", "3", "4", "2"]
        }
        try await eventually("the buffer is empty") { app.buffer?.count == 0 }
    }

    @Test("without a buffer an enqueue fails")
    func none() async {
        let app = Chard("app", broker: broker)
        broker.refuse(with: BrokerError(.unavailable, "away"))
        let error = await thrown(BrokerError.self) { try await app.send("t") }
        #expect(error?.code == .unavailable && app.buffer == nil)
    }
}
