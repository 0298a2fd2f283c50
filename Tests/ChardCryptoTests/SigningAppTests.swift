// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardCrypto
import ChardSQLite
import ChardTesting
import Foundation
import Logging
import TestServers
import Testing

@testable import Chard

@Suite("An app that signs", .timeLimit(.minutes(2)))
struct SigningAppTests {
    private struct Trouble: Error {}

    private let keys: SigningKeys
    private let app = Chard("app", broker: MemoryBroker())
    private let add: TaskHandle<Int, Int, Int>

    init() throws {
        keys = try SigningKeys([try .random(id: "k")])
        app.use(signing: MessageSigning(keys, isRequired: true))
        add = app.task("add", options: TaskOptions(retry: .constant(maxRetries: 3, delay: .seconds(1)))) {
            (x: Int, y: Int) in x + y
        }
    }

    /// What somebody without a key sends.
    private func forged(_ id: String = "forged") -> OutgoingMessage {
        TaskMessage(task: "add", id: id, body: MessageBody(Arguments([1, 1])), queue: "celery").outgoing
    }

    @Test("its own calls, retries and everything that follows run; what has no signature does not, and is kept")
    func memory() async throws {
        let queue = TestQueue(app)
        let sum = app.task("sum") { (numbers: [Int]) in numbers.reduce(0, +) }
        let twice = app.task("twice") { (number: Int) in number * 2 }
        let total = try await group(try (1...3).map { try add.signature($0, $0) }).then(sum).then(twice).enqueue()
        queue.failNext(add, with: Trouble())
        for _ in 0..<3 {
            try await queue.drain()
            queue.advance(by: .seconds(600))
        }
        #expect(try await total.value(timeout: .seconds(1)) == 24)
        #expect(queue.messages.allSatisfy { $0.headers["chard_sig"] != nil })

        try await queue.broker.send([forged()])
        let runs = try await queue.drain()
        #expect(runs.count == 1)
        let letter = try #require(try await app.operator.deadLetters.find("forged"))
        #expect(letter.reason == .badSignature && letter.error.hasPrefix("unsigned: ") && letter.attempts == 0)
        let status = try #require(try await queue.broker.status(of: "forged"))
        #expect(status.error?.type == "SecurityError")
        // What was merely put aside does not get better by being put back.
        try await app.operator.deadLetters.requeue("forged")
        try await queue.drain()
        #expect(try await app.operator.deadLetters.find("forged") != nil)
    }

    @Test("ticks of schedules, the steps of a flow and its retry, and what a body enqueues are signed, too")
    func others() async throws {
        let queue = TestQueue(app)
        let twice = app.task("twice") { (context: TaskContext, number: Int) in
            try await add.enqueue(number, number, options: EnqueueOptions(id: "from-\(context.id)"))
            return number * 2
        }
        app.every(.seconds(60), run: twice, 1)
        let ticks = try await queue.run(for: .seconds(121))
        #expect(ticks.map(\.end) == [.succeeded, .succeeded, .succeeded, .succeeded], "\(ticks)")

        var flow = Flow(app)
        let first = try flow.step("first", try add.signature(1, 2))
        let last = try flow.step("last", twice, taking: first)
        queue.failNext(twice, with: Trouble())
        let result = try await flow.enqueue(returning: last)
        try await queue.drain()
        let root = try #require(result.workflowID)
        #expect(try await app.workflow(root).retry().count == 1)
        try await queue.drain()
        #expect(try await result.value(timeout: .seconds(1)) == 6)
        #expect(try await app.operator.deadLetters.list().isEmpty)
    }

    @Test("a worker on a file takes what is signed and puts aside what is not")
    func sqlite() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/signing-\(TaskID.random()).db"
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let broker = SQLiteBroker(SQLiteLocation(path: path))
        app.use(broker: broker)
        let worker = Worker(
            app, options: WorkerOptions(node: "w"), logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            try await broker.send([forged()])
            #expect(try await add.enqueue(2, 3).value(timeout: .seconds(20)) == 5)
            #expect(try await add.enqueue(2, 3, in: .milliseconds(50)).value(timeout: .seconds(20)) == 5)
            try await eventually("the forged one is put aside") {
                try await app.operator.deadLetters.find("forged")?.reason == .badSignature
            }
            worker.stop(.now)
            try await group.waitForAll()
        }
        await broker.shutdown()
    }

    @Test("keys are exchanged without a message being refused, and the old one is refused in the end")
    func rotation() async throws {
        let (old, new) = (keys.keys[0], try SigningKey.random(id: "new"))
        let queue = TestQueue(app)
        func send(_ keys: [SigningKey]) async throws -> String {
            app.use(signing: MessageSigning(try SigningKeys(keys), isRequired: true))
            return try await add.enqueue(1, 1).id
        }
        func states(_ ids: [String], by keys: [SigningKey]) async throws -> [TaskState?] {
            app.use(signing: MessageSigning(try SigningKeys(keys), isRequired: true))
            try await queue.drain()
            var states: [TaskState?] = []
            for id in ids { states.append(try await queue.broker.status(of: id)?.state) }
            return states
        }
        let before = [try await send([old]), try await send([old, new]), try await send([new, old])]
        #expect(try await states(before, by: [new, old]) == [.success, .success, .success])
        let after = [try await send([new]), try await send([old])]
        #expect(try await states(after, by: [new]) == [.success, .failure])
        let letter = try #require(try await app.operator.deadLetters.find(after[1]))
        #expect(letter.error == "bad-signature: the message is signed with the key k, which is not known here")
    }

    @Test("whoever has public keys alone may check, but nothing that is to be believed comes of it")
    func publicKeys() async throws {
        let key = try SigningKey.random(id: "web", ed25519: true)
        let half = try SigningKeys([try #require(key.publicHalf)])
        let other = Chard("other", broker: MemoryBroker())
        let task = other.task("t") { 1 }
        other.use(signing: MessageSigning(half, isRequired: true))
        let error = await #expect(throws: AppError.self) { try await Worker(other).run() }
        #expect(error?.description.contains("none of its keys can sign") == true)
        await #expect(throws: AppError.self) { try await task.enqueue() }
        other.use(signing: MessageSigning(half))
        _ = try await task.enqueue()
    }

    @Test("an operator's changes are signed anew, where the message was good and a key is there")
    func changes() async throws {
        let queue = TestQueue(app)
        let moved = try await add.enqueue(1, 1, in: .seconds(3_600))
        try await app.operator.delayedTasks.move(moved.id, to: queue.clock.now + 60)
        queue.advance(by: .seconds(61))
        try await queue.drain()
        #expect(try await queue.broker.status(of: moved.id)?.state == .success)

        let kept = try await add.enqueue(1, 1, in: .seconds(3_600))
        var late = forged("late")
        late.dueAt = queue.clock.now + 3_600
        try await queue.broker.send([late])
        await #expect(throws: AppError.self) { try await app.operator.delayedTasks.runNow("late") }
        app.use(signing: nil)
        let error = await #expect(throws: AppError.self) { try await app.operator.delayedTasks.runNow(kept.id) }
        #expect(error?.description.contains("no key here") == true)
        #expect(try await app.operator.delayedTasks.find(kept.id) != nil)
        // A task that has failed for good runs again under its own id.
        app.use(signing: MessageSigning(keys, isRequired: true))
        queue.failNext(add, with: Trouble(), times: 4)
        let failed = try await add.enqueue(2, 2)
        try await queue.run(for: .seconds(60))
        #expect(try await queue.broker.status(of: failed.id)?.state == .failure)
        _ = try await app.operator.tasks.retry(failed.id)
        try await queue.drain()
        #expect(try await queue.broker.status(of: failed.id)?.state == .success)
    }

    @Test("in immediate mode nothing is asked for")
    func immediate() async throws {
        let other = Chard("other")
        let task = other.task("t") { 7 }
        other.use(signing: MessageSigning(keys, isRequired: true))
        other.runImmediately()
        #expect(try await task.enqueue().value(timeout: .seconds(1)) == 7)
    }
}
