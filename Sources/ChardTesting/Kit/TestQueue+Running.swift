// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension TestQueue {
    private static let node = "test@queue"

    /// Runs the message that is next, of all queues or of one, and says what it came to; `nil` where none can be claimed
    /// now.
    @discardableResult
    public func runOne(from queue: String? = nil) async throws -> TestRun? {
        let queues = try await broker.queues().filter { report in
            report.waiting > 0 && !report.isPaused && (queue == nil || report.queue == queue)
        }
        guard !queues.isEmpty else { return nil }
        try await pool.open()
        let consumer = try await broker.consumer(
            for: Subscription(queues: queues.map(\.queue), node: Self.node, concurrency: 1, startedAt: clock.now))
        guard let delivery = try await consumer.claim(upTo: 1).first else { return nil }
        if let run = try await lost(delivery, by: consumer) { return run }
        let worker = SoloWorker(
            app, node: Self.node, pool: pool, innermost: [mishaps], canRequeue: true,
            report: { try await consumer.report([$0]) },
            desk: StepDesk(broker, by: consumer, for: app), isRevoked: { consumer.isRevoked($0) },
            seal: consumer.seal, signing: app.signing)
        let end = try await worker.work(on: delivery, joins: broker) { try await consumer.settle([$0])[0] }
        await consumer.close()
        return TestRun(end.message, queue: delivery.queue, end: TestRun.End(end.outcome))
    }

    /// Loses the worker with this delivery, if that was wished.
    private func lost(_ delivery: Delivery, by consumer: any Consumer) async throws -> TestRun? {
        guard let message = try? TaskMessage(decoding: delivery.payload), mishaps.takesWorker(of: message.task) else {
            return nil
        }
        if consumer.seal.trusting(message).losses >= Recovery.lastChance {
            try await consumer.noteLastChance(of: message.id)
        }
        broker.silence(consumer.identity)
        return TestRun(message, queue: delivery.queue, end: .workerLost)
    }

    /// Runs everything that can be claimed now, of all queues or of one, and what those runs enqueue. The clock stands
    /// still: what is delayed for later, retries among them, stays.
    /// - Throws: ``TestQueueError`` after `limit` runs, for tasks that enqueue one another without end.
    @discardableResult
    public func drain(_ queue: String? = nil, limit: Int = 100_000) async throws -> [TestRun] {
        var runs: [TestRun] = []
        while let run = try await runOne(from: queue) {
            runs.append(run)
            guard runs.count < limit else {
                throw TestQueueError(
                    description: "after \(limit) runs there is still something to run; the last one was \(run)")
            }
        }
        return runs
    }

    /// Lets time pass with a worker and a beat up: runs everything that can be claimed, and everything that becomes due
    /// within `duration`, each at its time: ETAs, countdowns and retries, and the ticks of the app's schedules, which only
    /// this fires ("app.every", "app.cron"); ``drain(_:limit:)`` and ``advance(by:)`` fire none.
    @discardableResult
    public func run(for duration: Duration) async throws -> [TestRun] {
        let end = clock.now.addingTimeInterval(duration.seconds)
        var beat = try await BeatRounds(registering: app, in: broker)
        var runs: [TestRun] = []
        while true {
            let tick = try await beat.round().next
            runs += try await drain()
            guard let next = [tick, clock.nextAlarm].compactMap({ $0 }).min(), next <= end else { break }
            clock.advance(to: next)
        }
        clock.advance(to: end)
        return runs
    }

    /// The result of a call: runs what waits until it is there. The clock stands still.
    /// - Throws: `TaskError` if the task failed; ``TestQueueError`` if nothing is left to run and there is no result.
    public func value<Output>(of result: AsyncResult<Output>) async throws -> Output {
        while try await !result.status().state.isReady {
            guard try await runOne() != nil else {
                throw TestQueueError(
                    description: "task \(result.id) has no result, and nothing is left to run; it may be delayed for "
                        + "later (see run(for:)), paused, or keep no result")
            }
        }
        return try await result.value()
    }
}
