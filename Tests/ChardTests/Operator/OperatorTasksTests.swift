// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("What an operator does to one task", .fewAtATime, .timeLimit(.minutes(2)))
struct OperatorTasksTests {
    @Test("a task that has failed for good is sent again under its own id, by one of those who ask for it")
    func sendsAgain() async throws {
        let (app, broker) = makeApp()
        let isBroken = Mutex(true)
        let task = app.task("t") { (number: Int) in
            if isBroken.withLock({ $0 }) { throw TaskError("ValueError", "not \(number)") }
            return number
        }
        let result = try await task.enqueue(41, queue: "q")
        try await withWorker(app, queues: ["q"]) { _ in
            await #expect(throws: TaskError.self) { try await result.value(timeout: .seconds(20)) }
            let record = try #require(try await app.find(result.id))
            #expect(record.message?.argumentsText == "(41,)")
            isBroken.withLock { $0 = false }
            let outcomes = try await withThrowingTaskGroup(of: Operator.Tasks.Retry.self) { group in
                for _ in 0..<8 { group.addTask { try await app.operator.tasks.retry(result.id) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(try await app.find(result.id)?.state != "failure")
            #expect(outcomes.count { $0 == .sentAgain } == 1)
            #expect(outcomes.count(where: \.hasChanged) == 1)
            #expect(try await result.value(timeout: .seconds(20)) == 41)
            #expect(try await app.operator.tasks.retry(result.id) == .nothing("it has succeeded"))
        }
        #expect(try await broker.record(result.id)?.isEmpty ?? true)
    }

    @Test("the message of a large task that fails is not kept, nor that of any where none is to be")
    func limit() async throws {
        for (settings, size) in [(Settings(), 20_000), (Settings(failedMessageLimit: 0), 1)] {
            let (app, _) = makeApp(settings: settings)
            let task = app.task("t") { (text: String) in throw TaskError("ValueError", "no") }
            let result = try await task.enqueue(String(repeating: "x", count: size))
            try await withWorker(app) { _ in
                await #expect(throws: TaskError.self) { try await result.value(timeout: .seconds(20)) }
            }
            guard case .nothing(let why) = try await app.operator.tasks.retry(result.id) else {
                Issue.record("it was sent again")
                continue
            }
            #expect(why.hasPrefix("its message is not kept"))
        }
    }

    @Test("of a task that ends without a trace nothing is kept")
    func ignored() async throws {
        let (app, broker) = makeApp()
        let task = app.task("t") { (number: Int) in throw Ignore() }
        let result = try await task.enqueue(1)
        try await withWorker(app) { _ in
            try await eventually("it is over") { try await broker.attempts(of: result.id).count == 1 }
        }
        #expect(try await broker.record(result.id) == nil)
    }

    @Test("what is dead is requeued, what waits for its time runs, what waits or never was stays")
    func places() async throws {
        let (app, _) = makeApp()
        let task = app.task("t") { (number: Int) in number }
        let unknown = try await app.send("nobody.knows", queue: "q")
        try await withWorker(app, queues: ["q"]) { _ in
            try await eventually("it is dead") { try await app.find(unknown.id)?.state == "dead" }
        }
        #expect(try await app.operator.tasks.retry(unknown.id) == .requeued)
        #expect(try await !app.operator.tasks.retry(unknown.id).hasChanged)
        let later = try await task.enqueue(1, in: .seconds(600))
        #expect(try await app.operator.tasks.retry(later.id) == .hastened)
        #expect(try await app.find(later.id)?.state == "waiting")
        #expect(try await app.operator.tasks.retry("nobody").hasChanged == false)
    }

    @Test("a copy has another id, other arguments where some are given, and nothing behind it")
    func copies() async throws {
        let (app, _) = makeApp()
        let seen = Mutex<[Int]>([])
        let task = app.task("t") { (number: Int) in
            seen.withLock { $0.append(number) }
            return number
        }
        let after = app.task("after") { (number: Int) in seen.withLock { $0.append(number * 10) } }
        let first = try await task.then(after).enqueue(1)
        let id = try #require(first.workflowID)
        let copy = try #require(try await app.operator.tasks.sendCopy(of: id, Arguments([5])))
        let same = try #require(try await app.operator.tasks.sendCopy(of: id))
        #expect(Set([id, copy, same]).count == 3)
        let message = try #require(try await app.find(copy)?.message)
        #expect(try message.decodeBody().embed.isEmpty && message.group == nil && message.rootID == copy)
        try await withWorker(app) { _ in
            try await eventually("all have run") { seen.withLock { $0.sorted() } == [1, 1, 5, 10] }
        }
        #expect(try await app.operator.tasks.sendCopy(of: "nobody") == nil)
    }

    @Test("what is kept of a failed task is deleted, and of one that waits nothing")
    func deletes() async throws {
        let (app, broker) = makeApp()
        let task = app.task("t") { (number: Int) in throw TaskError("ValueError", "no") }
        let result = try await task.enqueue(1)
        try await withWorker(app) { _ in
            await #expect(throws: TaskError.self) { try await result.value(timeout: .seconds(20)) }
        }
        #expect(try await broker.record(result.id) != nil)
        #expect(try await app.operator.tasks.delete(result.id))
        #expect(try await broker.record(result.id)?.isEmpty ?? true)
        #expect(try await broker.status(of: result.id) == nil)
        let waiting = try await task.enqueue(2)
        #expect(try await !app.operator.tasks.delete(waiting.id))
        #expect(try await app.find(waiting.id)?.state == "waiting")
    }
}
