// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

@testable import Chard

/// A worker that claims by the dozen, whose slots are held by tasks that wait at a gate.
struct Congestion {
    let app: Chard
    let broker: MemoryBroker
    let worker: Worker
    let gate = Gate()
    let quick: TaskHandle<Int>
    let blocked: TaskHandle<Int>

    init(concurrency: Int = 1, grace: Duration = .seconds(20), drains: Bool = false) {
        (app, broker) = makeApp()
        let options = WorkerOptions(concurrency: concurrency, node: "test@here", gracePeriod: grace, drains: drains)
        worker = Worker(app, options: options, logger: quietLogger)
        quick = app.task("quick") { () in 1 }
        blocked = app.task("blocked") { [gate] (context: TaskContext) in
            try await gate.pass()
            return context.attempt
        }
    }

    /// Has the worker see that tasks are short, so that it claims many, and then holds up its slots. Returns the ids of
    /// what holds them up.
    func holdUp() async throws -> [String] {
        let before = worker.vitals.done
        try await app.enqueue((0..<200).map { _ in try quick.signature() })
        try await eventually("it claims widely") { worker.vitals.done == before + 200 }
        let ids = (0..<worker.options.concurrency).map { "blocked-\($0)" }
        try await app.enqueue(ids.map { try blocked.signature(options: EnqueueOptions(id: $0)) })
        try await eventually("all slots are taken") { gate.arrivals == ids.count }
        return ids
    }

    /// Sends tasks that have to wait behind those. Returns their ids.
    func sendMore(_ count: Int, of task: TaskHandle<Int>? = nil) async throws -> [String] {
        let ids = (0..<count).map { "more-\($0)" }
        try await app.enqueue(ids.map { try (task ?? quick).signature(options: EnqueueOptions(id: $0)) })
        return ids
    }

    /// Whether the worker holds so many messages: not for sure, for on a busy machine even short tasks may look long.
    func holds(_ count: Int) async throws -> Bool {
        try? await eventually("it holds all", within: .milliseconds(300)) { try await report()?.leased == count }
        return try await report()?.leased == count
    }

    func report() async throws -> QueueReport? {
        try await broker.queues().first
    }
}
