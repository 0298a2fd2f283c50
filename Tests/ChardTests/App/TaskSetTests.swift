// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

private struct Mails: TaskSet {
    let send: TaskHandle<String, String>

    init(_ app: Chard) {
        send = app.task("mails.send") { (to: String) in "sent to \(to)" }
    }
}

private struct Polls: TaskSet {
    let close: TaskHandle<String, Int>

    init(_ app: Chard) {
        // One set has the tasks of another.
        let mails = app.add(Mails.self)
        close = app.task("polls.close") { (poll: Int) in try await mails.send.enqueue("voters of \(poll)").id }
    }
}

@Suite("Sets of tasks")
struct TaskSetTests {
    @Test("are registered as a whole, each once for each app")
    func registration() async throws {
        let (app, broker) = makeApp()
        let polls = app.add(Polls.self)
        let mails = app.add(Mails.self)
        app.add(Polls.self)
        try app.validate()
        #expect(app.tasks.map(\.name) == ["mails.send", "polls.close"])
        try await withWorker(app) { _ in
            let sent = try await polls.close.enqueue(7).value(timeout: .seconds(20))
            #expect(try await mails.send.result(of: sent).value(timeout: .seconds(20)) == "sent to voters of 7")
        }
        #expect(try await broker.deadLetters(in: nil, limit: 9).isEmpty)

        let other = makeApp("other").app
        other.add(Mails.self)
        #expect(other.tasks.map(\.name) == ["mails.send"])
    }

    @Test("a task that is registered while a worker runs is refused where it is called, and no other is")
    func tooLate() async throws {
        let (app, _) = makeApp()
        let early = app.task("early") { () in 1 }
        try await withWorker(app) { worker in
            try await eventually("it works") { try await app.operator.workers().count == 1 }
            let late = app.task("late") { () in 2 }
            let error = await thrown(AppError.self) { try await late.enqueue() }
            #expect(error?.description.hasPrefix("the task late is registered after app has started to work") == true)
            #expect(error?.description.contains("TaskSet") == true)
            #expect(try await early.enqueue().value(timeout: .seconds(20)) == 1)
            #expect(await thrown(AppError.self) { try app.validate() }?.description.contains("late") == true)
        }
    }

    @Test("a beat alone does not mind: it runs no tasks")
    func besideBeat() async throws {
        let (app, _) = makeApp()
        app.attendance.enter(.beat)
        defer { app.attendance.leave(.beat) }
        let task = app.task("later") { () in 1 }
        try await task.enqueue()
        try app.validate()
    }
}

@Suite("Calls of tasks that a worker does not have")
struct UnknownTasksTests {
    private func failure(_ name: String, among known: [String]) -> TaskError {
        UnknownTasks(known: known, logger: quietLogger).failure(for: name)
    }

    @Test("say what it has, which name is near, and why one may be missing")
    func words() {
        let error = failure("shop.ad", among: ["shop.mail", "shop.add"])
        #expect(error.type == "NotRegistered")
        #expect(error.module == "celery.exceptions")
        #expect(
            error.message.hasPrefix(
                "shop.ad (did you mean shop.add?); this worker has shop.add, shop.mail. A task that")
        )
        #expect(error.message.hasSuffix("add a TaskSet"))
        #expect(failure("x", among: []).message.hasPrefix("x; this worker has no tasks. "))
        #expect(!failure("nobody.knows", among: ["shop.add"]).message.contains("did you mean"))
    }

    @Test("stay short, whatever they are called and however many there are")
    func bounds() {
        let many = (0..<1000).map { "task.number.\($0)" }
        let error = failure(String(repeating: "x", count: 100_000), among: many)
        #expect(error.message.utf8.count < 1000)
        #expect(error.message.contains(" and 980 more"))
    }
}
