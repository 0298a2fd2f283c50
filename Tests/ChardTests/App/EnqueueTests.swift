// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("What a call sends")
struct EnqueueTests {
    let app: Chard
    let broker: RecordingBroker
    let clock = ManualClock()

    init() {
        var settings = Settings()
        settings.now = { [clock] in clock.now }
        broker = RecordingBroker()
        app = Chard("shop", broker: broker, settings: settings)
    }

    private func onlyMessage() throws -> TaskMessage {
        #expect(broker.sent.count == 1)
        return try TaskMessage(decoding: try #require(broker.sent.all.first?.first).payload)
    }

    @Test("a plain call is a message of Celery's with an id, its own root, and the time")
    func plain() async throws {
        let add = app.task("shop.add") { (x: Int, y: Int) in x + y }
        let result = try await add.enqueue(2, 3)
        let message = try onlyMessage()
        #expect(message.task == "shop.add")
        #expect(message.id == result.id)
        #expect(result.id.count == 36)
        #expect(try message.decodeBody().arguments() == Arguments([2, 3]))
        #expect(message.rootID == message.id)
        #expect(message.parentID == nil)
        #expect(message.retries == 0)
        #expect(message.eta == nil && message.expires == nil)
        #expect(message.timeLimits == TaskMessage.TimeLimits())
        #expect(message.ignoresResult == nil)
        #expect(message.argumentsText == "(2, 3)")
        #expect(message.origin == "\(ProcessInfo.processInfo.processIdentifier)@shop")
        #expect(message.properties.routingKey == "celery")
        #expect(message.properties.priority == 0)
        #expect(message.properties.timestampInMilliseconds == 1_800_000_000_000)
        #expect(message.headers.isEmpty)
        let outgoing = try #require(broker.sent.all.first?.first)
        #expect(outgoing.id == message.id && outgoing.queue == "celery" && outgoing.dueAt == nil)
    }

    @Test("what is said most often can be said at the call, over its options")
    func labels() async throws {
        let add = app.task("shop.add") { (x: Int, y: Int) in x + y }
        let none = app.task("shop.none") { () in 1 }
        let eta = clock.now + 90
        let others = EnqueueOptions(queue: "other", headers: ["a": 1])
        try await add.enqueue(2, 3, in: .seconds(30), queue: "math", options: others)
        try await add.enqueue(2, 3, at: eta, priority: 3, expires: .seconds(120), id: "known")
        try await none.enqueue(in: .seconds(30))
        try await app.send("py.job", Arguments([2]), in: .seconds(30), queue: "python")
        try await app.enqueue([add.signature(4, 5, queue: "math"), add.signature(6, 7)])
        let messages = try broker.sent.all.flatMap { $0 }.map { try TaskMessage(decoding: $0.payload) }
        #expect(messages.map(\.eta) == [clock.now + 30, eta, clock.now + 30, clock.now + 30, nil, nil])
        #expect(messages.map(\.properties.routingKey) == ["math", "celery", "celery", "python", "math", "celery"])
        #expect(messages[0].headers == ["a": 1])
        #expect(messages[1].id == "known" && messages[1].properties.priority == 3)
        #expect(messages[1].expires == clock.now + 120)
        await #expect(throws: AppError.self) { try await none.enqueue(in: .seconds(1), at: eta) }
    }

    @Test("what a worker would not take is refused here and now")
    func tooLarge() async throws {
        let limits = MessageLimits(messageBytes: 4000)
        let app = Chard("shop", broker: broker, settings: Settings(limits: limits))
        let task = app.task("t") { (text: String) in text.count }
        let error = await thrown(AppError.self) { try await task.enqueue(String(repeating: "x", count: 4000)) }
        #expect(error?.description.hasPrefix("cannot enqueue t: its message has ") == true)
        #expect(error?.description.contains("a worker takes no more than 4000") == true)
        let body = await thrown(AppError.self) {
            let app = Chard("shop", broker: broker, settings: Settings(limits: MessageLimits(bodyBytes: 100)))
            return try await app.send("t", Arguments([.string(String(repeating: "x", count: 200))]))
        }
        #expect(body?.description.hasPrefix("cannot enqueue t: its body has 212 bytes") == true)
        var deep = JSON.array([])
        for _ in 0..<300 { deep = .array([deep, "[[["]) }
        let nested = deep
        let depth = await thrown(AppError.self) {
            try await Chard("shop", broker: broker).send("t", Arguments([nested]))
        }
        #expect(depth?.description.hasPrefix("cannot enqueue t: its arguments are nested 303 levels deep") == true)
        #expect(broker.sent.all.isEmpty)
        try await task.enqueue(String(repeating: "x", count: 1000))
    }

    @Test("argument texts are left out where they are nobody's business")
    func undescribed() async throws {
        let app = Chard("shop", broker: broker, settings: Settings(describesArguments: false))
        try await app.task("t") { (secret: String) in secret.count }.enqueue("secret")
        let message = try onlyMessage()
        #expect(message.argumentsText == nil && message.keywordsText == nil)
    }

    @Test("secrets are in no text for people: by parameter, keyword and member")
    func redacted() async throws {
        struct Card: Codable { var cvv: Int, bank: String }
        let pay = app.task("pay", parameters: ["card", "PASSWORD"]) { (card: Card, password: String) in 1 }
        let card = Card(cvv: 123, bank: "b")
        try await pay.enqueue(card, "hunter2")
        try await app.send("pay", Arguments(["c", "hunter2"]))
        try await app.send("other", Arguments(["plain"], keywords: ["token": "t", "deep": [["secret": 1]]]))
        let messages = try broker.sent.all.flatMap { $0 }.map { try TaskMessage(decoding: $0.payload) }
        #expect(messages.count == 3)
        #expect(messages[0].argumentsText == "({'bank': 'b', 'cvv': '***'}, '***')")
        #expect(messages[1].argumentsText == "('c', '***')")
        #expect(messages[2].argumentsText == "('plain',)")
        #expect(messages[2].keywordsText == "{'deep': [{'secret': '***'}], 'token': '***'}")
        #expect(try messages[1].decodeBody().arguments().positional[1] == "hunter2")
    }

    @Test(
        "texts of workflows obey the same settings",
        arguments: [(true, "('***',)"), (false, nil)])
    func workflowTexts(isDescribed: Bool, text: String?) async throws {
        let (app, broker) = makeApp(settings: Settings(describesArguments: isDescribed))
        let task = app.task("t", parameters: ["token"]) { (text: String) in text }
        _ = try await group([try task.signature("a"), try task.signature("b")]).enqueue()
        let messages = try await broker.waitingMessages(in: "celery", limit: 9, messageLimit: .max)
        #expect(messages.map { $0.message?.argumentsText } == [text, text])
    }

    @Test("the task's options hold for every call")
    func taskOptions() async throws {
        let options = TaskOptions(
            queue: "slow", priority: 6, softTimeLimit: .seconds(5), timeLimit: .milliseconds(7500),
            expires: .seconds(60),
            ignoresResult: true, headers: ["a": 1, "b": 2])
        try await app.task("t", options: options) { () in 1 }.enqueue(options: EnqueueOptions(headers: ["b": 3]))
        let message = try onlyMessage()
        #expect(message.properties.routingKey == "slow")
        #expect(message.properties.priority == 6)
        #expect(message.timeLimits == TaskMessage.TimeLimits(hard: 7.5, soft: 5))
        #expect(message.expires == clock.now + 60)
        #expect(message.ignoresResult == true)
        #expect(message.headers == ["a": 1, "b": 3])
        #expect(broker.sent.all.first?.first?.priority == 6)
    }

    @Test("the call's options go before the task's")
    func callOptions() async throws {
        let options = TaskOptions(
            queue: "slow", priority: 6, softTimeLimit: .seconds(5), timeLimit: .seconds(7), expires: .seconds(60),
            ignoresResult: true)
        let task = app.task("t", options: options) { () in 1 }
        let result = try await task.enqueue(
            options: EnqueueOptions(
                queue: "fast", countdown: .seconds(10), expires: .seconds(30), priority: 0, softTimeLimit: .seconds(1),
                timeLimit: .seconds(2), id: "my-id", ignoresResult: false, shadow: "other"))
        let message = try onlyMessage()
        #expect(result.id == "my-id")
        #expect(message.id == "my-id" && message.rootID == "my-id")
        #expect(message.properties.routingKey == "fast")
        #expect(message.properties.priority == 0)
        #expect(message.timeLimits == TaskMessage.TimeLimits(hard: 2, soft: 1))
        #expect(message.eta == clock.now + 10)
        #expect(message.expires == clock.now + 30)
        #expect(message.ignoresResult == false)
        #expect(message.shadow == "other")
    }

    @Test("a time to come goes to the broker, or with the message where the worker is to hold it")
    func due() async throws {
        let task = app.task("t") { () in 1 }
        let eta = clock.now + 3600
        try await app.enqueue([
            task.signature(options: EnqueueOptions(eta: eta)),
            task.signature(options: EnqueueOptions(countdown: .seconds(5))),
            task.signature(options: EnqueueOptions(eta: eta, workerHoldsETA: true)),
        ])
        #expect(broker.sent.count == 1)
        let batch = try #require(broker.sent.all.first)
        #expect(batch.map(\.dueAt) == [eta, clock.now + 5, nil])
        #expect(try batch.map { try TaskMessage(decoding: $0.payload).eta } == [eta, clock.now + 5, eta])
    }

    @Test("a time to come goes with the message to a queue that only others serve, be it sent now or relayed later")
    func dueAtOthers() async throws {
        let task = app.task("t") { () in 1 }
        let eta = clock.now + 3600
        let calls = try [nil, true, false].map {
            try app.prepare(task.signature(options: EnqueueOptions(eta: eta, workerHoldsETA: $0)))
        }
        broker.give(toOthers: ["celery"])
        try await app.enqueue([
            task.signature(options: EnqueueOptions(eta: eta)),
            task.signature(options: EnqueueOptions(eta: eta, workerHoldsETA: false)),
            task.signature(options: EnqueueOptions(queue: "own", eta: eta)),
        ])
        try await app.relay(calls.map { ($0.outgoing.payload, $0.workerHoldsETA) })
        #expect(broker.sent.all.map { $0.map(\.dueAt) } == [[nil, eta, eta], [nil, nil, eta]])
    }

    @Test("many calls go in one batch, in order, each with an id of its own")
    func batch() async throws {
        let task = app.task("t") { (x: Int) in x }
        let results = try await app.enqueue((0..<5).map { try task.signature($0) })
        let batch = try #require(broker.sent.all.first)
        #expect(broker.sent.count == 1)
        #expect(batch.map(\.id) == results.map(\.id))
        #expect(Set(results.map(\.id)).count == 5)
        let arguments = try batch.map { try TaskMessage(decoding: $0.payload).decodeBody().arguments().positional }
        #expect(arguments == [[0], [1], [2], [3], [4]])
    }

    @Test("a call's own retry policy travels as a header")
    func policy() async throws {
        let policy = RetryPolicy.exponential(maxRetries: 7)
        try await app.task("t") { () in 1 }.enqueue(options: EnqueueOptions(retry: policy))
        #expect(try onlyMessage().retryPolicy == policy)
    }

    @Test("a task is sent by its name with keywords, untyped")
    func byName() async throws {
        let arguments = Arguments([1, "x"], keywords: ["flag": true])
        try await app.send("py.job", arguments, options: EnqueueOptions(queue: "py"))
        let message = try onlyMessage()
        #expect(message.task == "py.job")
        #expect(message.properties.routingKey == "py")
        #expect(try message.decodeBody().arguments() == arguments)
    }

    struct Unwritable: Codable, Sendable {
        func encode(to encoder: any Encoder) throws {
            throw EncodingError.invalidValue(self, .init(codingPath: [], debugDescription: "no way to write this"))
        }
    }

    @Test("an argument that does not encode is named")
    func unwritable() async {
        let task = app.task("t") { (_: Int, _: Unwritable) in 1 }
        let error = await thrown(AppError.self) { try await task.enqueue(1, Unwritable()) }
        #expect(error?.description.hasPrefix("t() argument 2 of type Unwritable: ") == true)
        let fields = app.task("f", keywords: Int.self) { _, _ in 1 }
        let noFields = await thrown(AppError.self) { try await fields.enqueue(3) }
        #expect(noFields?.description == "f() takes the fields of one value as keyword arguments; 3 has none")
    }

    @Test("what the broker throws reaches the caller")
    func brokerError() async {
        broker.refuse(with: BrokerError(.unavailable, "away"))
        let error = await thrown(BrokerError.self) { try await app.send("t") }
        #expect(error?.code == .unavailable)
    }
}
