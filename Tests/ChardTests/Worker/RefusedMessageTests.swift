// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Messages that no run can come of", .fewAtATime, .timeLimit(.minutes(3)))
struct RefusedMessageTests {
    let app: Chard
    let broker: MemoryBroker

    init() {
        (app, broker) = makeApp()
        app.task("add", parameters: ["x", "y"]) { (x: Int, y: Int) in x + y }
    }

    private func send(_ payload: [UInt8]) async throws {
        try await broker.send([OutgoingMessage(id: "", queue: "celery", payload: payload)])
    }

    /// Sends the message, waits until the worker has put it aside, and checks that the next one runs.
    private func letter(for payload: [UInt8]) async throws -> DeadLetter {
        try await withWorker(app) { worker in
            try await send(payload)
            try await eventually("it is a dead letter") {
                try await !broker.deadLetters(in: "celery", limit: 1).isEmpty
            }
            let after = app.reference("add", taking: Int.self, Int.self, returning: Int.self)
            #expect(try await after.enqueue(1, 2).value(timeout: .seconds(20)) == 3)
            try await eventually("the failure is counted") { worker.vitals.done == 2 && worker.vitals.failed == 1 }
        }
        let letters = try await broker.deadLetters(in: nil, limit: 10)
        #expect(letters.count == 1)
        let letter = try #require(letters.first)
        #expect(letter.payload == payload)
        #expect(letter.worker == "test@here")
        return letter
    }

    @Test("bytes that are no message", arguments: ["", "nonsense", "[1,2]", "{", "{}", "\u{0}"])
    func malformed(_ text: String) async throws {
        let letter = try await letter(for: Array(text.utf8))
        #expect(letter.attempts == 0)
        #expect(letter.taskID == nil)
        #expect(!letter.id.isEmpty)
    }

    @Test("a body in pickle is kept, and its caller told")
    func pickle() async throws {
        var envelope = try JSON(
            parsing: TaskMessage(task: "add", id: "id", body: MessageBody(), queue: "celery").encoded())
        envelope["content-type"] = "application/x-python-serialize"
        let letter = try await letter(for: envelope.encoded())
        #expect(letter.reason == .refusedContent)
        #expect(letter.id == "id" && letter.taskID == "id" && letter.task == "add")
        let status = try #require(try await broker.status(of: "id"))
        #expect(status.state == .failure)
        #expect(status.error?.type == "ContentDisallowed")
        #expect(status.error?.module == "kombu.exceptions")
    }

    @Test("a body that is not what it should be is kept, and its caller told")
    func badBody() async throws {
        var envelope = try JSON(
            parsing: TaskMessage(task: "add", id: "id", body: MessageBody(), queue: "celery").encoded())
        envelope["body"] = .string(Base64.encode(Array("[1".utf8)))
        let letter = try await letter(for: envelope.encoded())
        #expect(letter.reason == .malformed)
        #expect(letter.attempts == 0)
        #expect(try await broker.status(of: "id")?.error?.type == "DecodeError")
    }

    @Test("more than the limits allow")
    func tooLarge() async throws {
        var settings = Settings()
        settings.limits = MessageLimits(messageBytes: 4000, bodyBytes: 3000, depth: 20)
        let broker = MemoryBroker()
        let app = Chard("app", broker: broker, settings: settings)
        app.rawTask("raw") { _, _ in 1 }
        var deep: JSON = 1
        for _ in 0..<30 { deep = [deep] }
        try await withWorker(app) { _ in
            let sender = Chard("sender", broker: broker)
            try await sender.send("raw", Arguments([.string(String(repeating: "x", count: 5000))]))
            try await sender.send("raw", Arguments([deep]))
            try await eventually("both are put aside") { try await broker.deadLetters(in: nil, limit: 9).count == 2 }
        }
        #expect(try await broker.deadLetters(in: nil, limit: 9).map(\.reason) == [.tooLarge, .tooLarge])
    }

    @Test("what the limits allow is taken by the task, and its result by the caller, however deep or long")
    func limitsRaised() async throws {
        var settings = Settings()
        settings.limits = MessageLimits(messageBytes: 256 << 20, bodyBytes: 256 << 20, depth: 700)
        let app = Chard("app", broker: MemoryBroker(), settings: settings)
        let deep = app.task("deep") { (value: JSON) in value }
        let raw = app.rawTask("raw") { _, arguments in arguments.positional.first ?? .null }
        let long = app.task("long") { (text: String) in text }
        var nested: JSON = 1
        for _ in 0..<600 { nested = [nested] }
        let sent = nested
        let text = String(repeating: "x", count: 70 << 20)
        try await withWorker(app) { _ in
            let values = [
                try await deep.enqueue(sent).value(timeout: .seconds(20)),
                try await raw.enqueue(Arguments([sent])).value(timeout: .seconds(20)),
            ]
            #expect(values == [sent, sent])
            let returned = try await long.enqueue(text).value(timeout: .seconds(30))
            #expect(returned == text)
        }
    }

    @Test("a task that nobody registered")
    func unknown() async throws {
        let message = TaskMessage(task: "nobody.knows", id: "id", body: MessageBody(), queue: "celery")
        let letter = try await letter(for: message.encoded())
        #expect(letter.reason == .notRegistered)
        #expect(letter.attempts == 0)
        #expect(letter.error.hasPrefix("NotRegistered: nobody.knows; this worker has "))
        let error = try #require(try await broker.status(of: "id")?.error)
        #expect(error.type == "NotRegistered")
        #expect(error.module == "celery.exceptions")
        #expect("NotRegistered: \(error.message)" == letter.error)
        #expect(error.traceback?.contains("in task nobody.knows[id], not started, on ") == true)
    }

    @Test("arguments that do not fit")
    func badArguments() async throws {
        let body = MessageBody(Arguments([1], keywords: ["z": 2]))
        let message = TaskMessage(task: "add", id: "id", body: body, queue: "celery")
        let letter = try await letter(for: message.encoded())
        #expect(letter.reason == .badArguments)
        #expect(letter.attempts == 0)
        let words = "add() got an unexpected keyword argument 'z'; it takes 'x', 'y'"
        #expect(letter.error == "TypeError: \(words)")
        let error = try #require(try await broker.status(of: "id")?.error)
        #expect(error.type == "TypeError" && error.module == "builtins" && error.message == words)
    }

    static let bad: JSON = ["args": []]

    static let embeds: [Embed] = [
        Embed(chain: [bad]), Embed(chord: bad), Embed(callbacks: [bad]), Embed(errbacks: [bad]),
    ]

    @Test("what follows and is no signature: the task does not run, and the reason is kept", arguments: embeds)
    func workflows(_ embed: Embed) async throws {
        let message = TaskMessage(
            task: "add", id: "id", body: MessageBody(Arguments([1, 2]), embed: embed), queue: "celery")
        let letter = try await letter(for: message.encoded())
        #expect(letter.reason == .badWorkflow)
        #expect(letter.attempts == 0)
        let status = try #require(try await broker.status(of: "id"))
        #expect(status.state == .failure)
        #expect(
            status.error?.message
                == "what is to follow the task cannot be read: a signature has no member \"task\", expected the name of a task"
        )
    }

    @Test("what follows and is no signature: whoever else waits is told")
    func waitingWorkflows() async throws {
        func signature(_ task: JSON, _ id: String, _ more: [String: JSON] = [:]) -> JSON {
            [
                "task": task, "args": [], "kwargs": [:], "subtask_type": nil, "immutable": false,
                "options": .object(["task_id": .string(id)].merging(more) { $1 }),
            ]
        }
        func member(_ id: String, in group: String, _ embed: Embed, text: String? = nil) async throws {
            try await broker.open([JoinOpening(group: group, size: 1, timeToLive: .seconds(60))])
            var message = TaskMessage(
                task: "add", id: id, body: MessageBody(Arguments([1, 2]), embed: embed), queue: "celery")
            message.group = group
            if let text { message.body = TaskMessage.Body(storage: .text(Array(text.utf8), isBase64: true)) }
            try await broker.send([OutgoingMessage(id: id, queue: "celery", payload: message.encoded())])
        }
        try await member(
            "a", in: "callback", Embed(callbacks: [Self.bad], errbacks: [Self.bad], chord: signature("add", "body 1")))
        // The last of a chain is the member, and one before it is no signature.
        let last = signature("add", "last 2", ["group_id": "chain", "chord": signature("add", "body 2")])
        try await member("b", in: "chain", Embed(chain: [last, Self.bad]))
        // The last one itself is none, but for its id and its chord.
        let none = signature(7, "last 3", ["group_id": "last", "chord": signature("add", "body 3")])
        try await member("c", in: "last", Embed(chain: [none]))
        try await member("d", in: "body", Embed(chord: signature(7, "body 4")))
        // Arguments that are too deep, before what follows and can be read.
        let deep = String(repeating: "[", count: 10_000) + #""]\"""# + String(repeating: "]", count: 10_000)
        let chord = String(decoding: signature("add", "body 5").encoded(), as: UTF8.self)
        try await member("e", in: "deep", Embed(), text: #"[[\#(deep)], {}, {"chord": \#(chord)}]"#)
        try await withWorker(app) { _ in
            for id in ["a", "b", "c", "d", "last 2", "last 3"] {
                let status = try await app.result(of: id).finalStatus(timeout: .seconds(20))
                #expect(status.error?.type == "BadWorkflow", "\(status)")
            }
            for id in (1...5).map({ "body \($0)" }) {
                let status = try await app.result(of: id).finalStatus(timeout: .seconds(20))
                #expect(status.error?.type == "ChordError", "\(status)")
            }
        }
        let reasons = try await broker.deadLetters(in: nil, limit: 9).map(\.reason)
        #expect(reasons.count == 5 && reasons.count { $0 == .badWorkflow } == 4)
    }

    @Test("a letter that is sent again runs once its task is there")
    func requeued() async throws {
        _ = try await letter(for: TaskMessage(task: "late", id: "id", body: MessageBody(), queue: "celery").encoded())
        app.task("late") { () in "here" }
        #expect(try await broker.requeueDeadLetter("id"))
        try await withWorker(app) { _ in
            try await eventually("it has run") { try await broker.status(of: "id")?.state == .success }
        }
        #expect(try await broker.deadLetters(in: nil, limit: 9).isEmpty)
    }
}
