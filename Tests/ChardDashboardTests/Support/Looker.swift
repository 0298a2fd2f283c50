// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Logging

@testable import ChardDashboard

/// Somebody who looks at a dashboard and gives orders, without a server between.
struct Looker {
    let app: Chard
    let broker: MemoryBroker
    let dashboard: Dashboard

    init(showsArguments: Bool = true, settings: Settings = Settings()) throws {
        broker = MemoryBroker()
        app = Chard("app", broker: broker, settings: settings)
        dashboard = try Dashboard(app, settings: Dashboard.Settings(showsArguments: showsArguments))
    }

    private func question(_ names: [String: String], _ filters: [String: String]) -> Question {
        Question(facts: dashboard.facts, names: names, filters: filters, now: Date())
    }

    /// What a page has now.
    func document(
        _ page: Page, _ names: [String: String] = [:], _ filters: [String: String] = [:]
    ) async throws -> JSON {
        await dashboard.facts.forget()
        return try await dashboard.document(page, question(names, filters))
    }

    /// The same as its template shows it.
    func html(_ page: Page, _ names: [String: String] = [:], _ filters: [String: String] = [:]) async throws -> String {
        dashboard.main(page, try await document(page, names, filters))
    }

    @discardableResult
    func order(
        _ path: String, _ names: [String: String] = [:], _ fields: [(name: String, value: String)] = []
    ) async throws -> ChardDashboard.Outcome {
        guard let action = Action.all.first(where: { $0.path == path }) else {
            throw PageError(.notFound, "no action \(path)")
        }
        await dashboard.facts.forget()
        return try await action.perform(
            Order(question: question(names, [:]), fields: fields, visitor: Visitor(user: "ada")))
    }

    /// Begins a batch and waits for its end.
    func batch(_ fields: [(name: String, value: String)]) async throws -> BatchProgress? {
        let name = try await order("/batches", [:], fields).details["batch"]?.string ?? ""
        guard let batch = await dashboard.facts.batches[name] else { return nil }
        await batch.finish()
        return await batch.progress
    }

    /// Makes dead letters, of messages that nobody has to take for it.
    func bury(_ letters: [DeadLetter]) async throws {
        for letter in letters {
            let name = "to be \(letter.id)"
            try await broker.send([
                OutgoingMessage(id: name, queue: letter.queue, dueAt: Date() + 3_600, payload: letter.payload)
            ])
            guard let delayed = try await broker.delayedTask(name),
                try await broker.change(delayed, [.bury(letter)])
            else { throw PageError(.conflict, "no letter \(letter.id)") }
        }
    }

    /// Runs a worker until `isDone`.
    func work(_ queues: [String] = [], until isDone: () async throws -> Bool) async throws {
        let quiet = Logger(label: "worker") { _ in SwiftLogNoOpLogHandler() }
        let worker = Worker(
            app, options: WorkerOptions(queues: queues, concurrency: 2, node: "test@here"), logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            let deadline = ContinuousClock.now + .seconds(20)
            while try await !isDone() {
                guard ContinuousClock.now < deadline else { throw PageError(.gatewayTimeout, "waited in vain") }
                try await Task.sleep(for: .milliseconds(3))
            }
            worker.stop(.now)
            try await group.waitForAll()
        }
    }

    /// Waits until the history has so many attempts.
    func attempts(_ count: Int) -> () async throws -> Bool {
        { try await app.operator.attempts(limit: count).count >= count }
    }
}

/// Why there is no page.
func refusal(_ body: () async throws -> Void) async -> PageError? {
    do {
        try await body()
        return nil
    } catch {
        return PageError(error)
    }
}

extension JSON {
    /// The ids of the tasks in a list.
    var ids: [String] { (self["tasks"]?.array ?? []).compactMap { $0["id"]?.string } }
}
