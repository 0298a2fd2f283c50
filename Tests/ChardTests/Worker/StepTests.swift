// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("Steps of a body", .timeLimit(.minutes(1)))
struct StepTests {
    let app: Chard
    let broker: MemoryBroker
    let done = Recorder<String>()
    let retry = TaskOptions(retry: .exponential(maxRetries: 3, initialDelay: .milliseconds(1)))

    init() { (app, broker) = makeApp() }

    @Test("a retry takes what was done from what is kept; once the task has succeeded, nothing is")
    func again() async throws {
        let order = app.task("order", options: retry) { [done, broker] (context: TaskContext, amount: Int) -> [Int] in
            let charge = try await context.step("charge") { () -> Int in
                done.add("charge")
                return amount + 1
            }
            if context.attempt < 3 { throw TaskError("ValueError", "not yet") }
            try await context.step("mail") { done.add("mail") }
            #expect(try await broker.record("steps:\(context.id)")?.count == 2)
            return [charge, context.attempt]
        }
        try await withWorker(app) { _ in
            let result = try await order.enqueue(6)
            #expect(try await result.value(timeout: .seconds(20)) == [7, 3])
            #expect(done.all == ["charge", "mail"])
            #expect(try await broker.record("steps:\(result.id)") == nil)
        }
    }

    @Test("what a step throws is not kept, and it is done again")
    func throwing() async throws {
        let order = app.task("order", options: retry) { [done] (context: TaskContext) -> Int in
            try await context.step("charge") { () -> Int in
                done.add("charge")
                if context.attempt == 1 { throw TaskError("ValueError", "no answer") }
                return 1
            }
        }
        try await withWorker(app) { _ in
            let value = try await order.enqueue().value(timeout: .seconds(20))
            #expect(value == 1)
            #expect(done.count == 2)
        }
    }

    @Test("two steps of one name in one run are an error, and so is another type of result")
    func mistakes() async throws {
        let twice = app.task("twice") { (context: TaskContext) -> Int in
            _ = try await context.step("a") { 1 }
            return try await context.step("a") { 2 }
        }
        let changed = app.task("changed", options: retry) { (context: TaskContext) -> String in
            if context.attempt == 1 {
                _ = try await context.step("a") { 1 }
                throw TaskError("ValueError", "again")
            }
            do {
                return try await context.step("a") { "text" }
            } catch { return "\(error)" }
        }
        try await withWorker(app) { _ in
            let failing = try await twice.enqueue()
            let error = await failure(failing)
            #expect(error?.message.contains("step \"a\" comes twice in one run") == true)
            let told = try await changed.enqueue().value(timeout: .seconds(20))
            #expect(told.contains("is no String"), "\(told)")
        }
    }

    private func failure(_ result: AsyncResult<Int>) async -> TaskError? {
        do {
            _ = try await result.value(timeout: .seconds(20))
            return nil
        } catch { return error as? TaskError }
    }

    @Test(
        "steps of a task that is kept stay, for when it is sent again: of a dead letter and of one that has failed for good"
    )
    func kept() async throws {
        let options = TaskOptions(retry: .exponential(maxRetries: 0))
        let isMended = Recorder<Bool>()
        let order = app.task("order", options: options) { [done] (context: TaskContext) -> Int in
            let charge = try await context.step("charge") { () -> Int in
                done.add("charge")
                return 5
            }
            if isMended.count == 0 { throw TaskError("ValueError", "boom") }
            return charge
        }
        let failing = app.task("failing") { (context: TaskContext) -> Int in
            let charge = try await context.step("charge") { 5 }
            if isMended.count == 1 { throw TaskError("ValueError", "boom") }
            return charge
        }
        try await withWorker(app) { _ in
            let result = try await order.enqueue()
            #expect(await failure(result)?.type == "ValueError")
            isMended.add(true)
            #expect(try await app.operator.deadLetters.requeue(result.id))
            try await eventually("it has succeeded") { try await result.status().state == .success }
            #expect(done.count == 1)
            #expect(try await broker.record("steps:\(result.id)") == nil)

            let other = try await failing.enqueue()
            #expect(await failure(other)?.type == "ValueError")
            #expect(try await broker.record("steps:\(other.id)") != nil)
            isMended.add(true)
            #expect(try await app.operator.tasks.retry(other.id) == .sentAgain)
            #expect(try await other.value(timeout: .seconds(20)) == 5)
            #expect(try await broker.record("steps:\(other.id)") == nil)
        }
    }

    @Test("who does without pays nothing: no record is asked for or written")
    func without() async throws {
        let plain = app.task("plain") { (x: Int) in x }
        try await withWorker(app) { _ in
            let result = try await plain.enqueue(1)
            #expect(try await result.value(timeout: .seconds(20)) == 1)
            #expect(try await broker.record("steps:\(result.id)") == nil)
        }
    }

    @Test("in immediate mode steps are kept from attempt to attempt")
    func immediate() async throws {
        let app = Chard("immediate")
        let order = app.task("order", options: retry) { [done] (context: TaskContext) -> Int in
            let charge = try await context.step("charge") { () -> Int in
                done.add("charge")
                return context.attempt
            }
            if context.attempt < 3 { throw TaskError("ValueError", "not yet") }
            return charge
        }
        app.runImmediately()
        let value = try await order.enqueue().value(timeout: .seconds(1))
        #expect(value == 1)
        #expect(done.count == 1)
    }
}
