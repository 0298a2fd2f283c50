// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardRedis
import FoundationEssentials

/// Where measurements take place: an app of its own with trivial tasks, on a queue that nobody else uses.
struct Bench: Sendable {
    let app: Chard
    let queue: String
    /// Returns its first argument; the payload only travels.
    let echo: TaskHandle<Int, Int, String?>
    /// Returns when its body ran, in seconds since 1970.
    let now: TaskHandle<Double>

    /// More of anything is a slip.
    static let most = 1_000_000_000

    /// Refuses options that make no sense.
    static func check(_ options: (name: String, value: Int, range: ClosedRange<Int>)...) throws(ValidationError) {
        for (name, value, range) in options where !range.contains(value) {
            throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound).")
        }
    }

    /// Reaches the broker and the result store of `original`, and makes a queue on them.
    init(_ original: Chard) async throws {
        let broker = try original.broker
        let results = try original.results
        try await broker.connect()
        try await results.connect()
        var settings = Settings()
        settings.resultExpires = .seconds(60)
        queue = "chard-bench-\(TaskID.random().prefix(8))"
        settings.defaultQueue = queue
        app = Chard(
            "chard-bench", broker: broker, results: broker as AnyObject === results as AnyObject ? nil : results,
            settings: settings)
        echo = app.task("bench.echo", parameters: ["i", "payload"]) { (i: Int, _: String?) in i }
        now = app.task("bench.now") { Date().timeIntervalSince1970 }
    }

    /// Removes the queue and what is still in it.
    func cleanUp() async throws {
        try await app.operator.queues.purge(queue, delayed: true)
        try await (try app.broker as? RedisBroker)?.forget(queue: queue)
    }

    /// The broker's time on the processors so far, in seconds; `nil` where there is no server to ask.
    var brokerProcessorSeconds: Double? {
        get async { try? await (try app.broker as? RedisBroker)?.processorSeconds() }
    }

    func brokerProcessorSeconds(since start: Double?) async -> Double? {
        guard let start, let now = await brokerProcessorSeconds else { return nil }
        return now - start
    }

    /// Fills the queue with `count` calls.
    func fill(_ count: Int, payload: String? = nil, options: EnqueueOptions = EnqueueOptions()) async throws {
        // Few enough for one message to the server, enough for the round trip not to count.
        let batch = 500
        for start in stride(from: 0, to: count, by: batch) {
            // Not every broker's send looks for that.
            try Task.checkCancellation()
            try await app.enqueue(
                try (start..<min(count, start + batch)).map { try echo.signature($0, payload, options: options) })
        }
    }

    /// Sends `count` calls one by one, each caller awaiting its own.
    func send(_ count: Int, callers: Int, payload: String? = nil) async throws {
        try await withThrowingTaskGroup { group in
            for caller in 0..<callers {
                group.addTask {
                    for i in stride(from: caller, to: count, by: callers) {
                        try Task.checkCancellation()
                        try await echo.enqueue(i, payload)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Waits until a worker is done with so many tasks. Those that fail are no measure of anything.
    func wait(for count: Int, on worker: Worker) async throws {
        while case let vitals = worker.vitals, vitals.done < count || vitals.failed > 0 {
            guard vitals.failed == 0 else {
                throw CommandError("a task of the bench failed, and nothing was measured; is its payload too large?")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Runs `body` beside a worker that takes work.
    func withWorker<Value: Sendable>(
        concurrency: Int? = nil, sendsEvents: Bool = false, _ body: (Worker) async throws -> Value
    ) async throws -> Value {
        var options = WorkerOptions(queues: [queue])
        options.sendsEvents = sendsEvents
        if let concurrency { options.concurrency = concurrency }
        let worker = Worker(app, options: options)
        let (ready, whenReady) = AsyncStream<Void>.makeStream()
        async let running: Void = {
            defer { whenReady.finish() }
            try await worker.run { whenReady.finish() }
        }()
        for await _ in ready {}
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(worker))
        } catch {
            outcome = .failure(error)
        }
        worker.stop(.gracefully)
        try await running
        return try outcome.get()
    }
}
