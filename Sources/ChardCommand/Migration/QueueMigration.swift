// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Takes one queue from a broker to another: what is scheduled, what waits, and dead letters.
///
/// Everything is first written to the target and only then removed at the source: whenever this ends, nothing is lost, and
/// what was under way is there twice at most.
struct QueueMigration: Sendable {
    /// How many of each kind were moved.
    struct Counts: Sendable, Hashable {
        var waiting = 0
        var delayed = 0
        var dead = 0
    }

    let queue: String
    let source: any MovableBroker
    let target: any MovableBroker
    let node: String
    /// Whether workers live at the source: then nobody waits for what they hold, and a paused queue stays as it is.
    let isShared: Bool
    /// Told of every step.
    let progress: @Sendable (Counts) -> Void

    /// What is due so soon is not moved as scheduled: it might come due, and wait, while it is written to the target.
    private static let soon: TimeInterval = 5
    /// By then a lost process's messages wait again, and what was due soon does.
    private static let patience = Duration.seconds(25)

    func run(isPaused: Bool) async throws -> Counts {
        var counts = Counts()
        if isPaused { try await target.pause(queue) }
        // The target's workers are kept from the queue now; at the source there are none.
        if isPaused, !isShared { try await source.resume(queue) }
        let consumer = try await source.consumer(
            for: Subscription(
                queues: [queue], node: node, concurrency: 1, startedAt: Date(), messageLimit: 1 << 40))
        do {
            try await moveDelayed(&counts, now: consumer.clockOffset)
            if !isPaused || !isShared { try await moveWaiting(&counts, by: consumer) }
            await consumer.close()
        } catch {
            await consumer.close()
            throw error
        }
        try await moveDead(&counts)
        return counts
    }

    /// Moves what waits, what comes due meanwhile, and what comes back from a process that was lost.
    private func moveWaiting(_ counts: inout Counts, by consumer: any Consumer) async throws {
        var deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            if try await !consumer.isDrained() {
                if try await moveSome(&counts, by: consumer) { deadline = .now + Self.patience }
                continue
            }
            try await moveDelayed(&counts, now: consumer.clockOffset)
            let report = try await source.queues().first { $0.queue == queue }
            guard let report, report.waiting + report.delayed + (isShared ? 0 : report.leased) > 0 else { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Moves some of what waits. Returns whether it did: another may have been first.
    private func moveSome(_ counts: inout Counts, by consumer: any Consumer) async throws -> Bool {
        let alarm = Task {
            try await Task.sleep(for: .seconds(2))
            consumer.wake()
        }
        defer { alarm.cancel() }
        let deliveries = try await consumer.claim(upTo: 500)
        guard !deliveries.isEmpty else { return false }
        let priorities = try await source.priorities(of: deliveries)
        try await target.send(
            zip(deliveries, priorities).map { delivery, priority in
                OutgoingMessage(
                    id: (try? TaskMessage(decoding: delivery.payload))?.id ?? TaskID.random(), queue: queue,
                    priority: priority, payload: delivery.payload)
            })
        _ = try await consumer.settle(deliveries.map { Settlement($0) })
        counts.waiting += deliveries.count
        progress(counts)
        return true
    }

    /// Moves what is not due soon.
    private func moveDelayed(_ counts: inout Counts, now offset: Double) async throws {
        // Only what an earlier migration had under way when it ended can be there already: the first it would have moved.
        var isFirst = true
        var limit = 200
        while true {
            let soon = Date().addingTimeInterval(offset + Self.soon)
            let page = try await source.delayedTasks(in: queue, limit: limit)
            let tasks = page.filter { $0.dueAt > soon }
            guard !tasks.isEmpty else {
                guard page.count == limit else { return }
                limit *= 2
                continue
            }
            var missing: [DelayedTask] = []
            for task in tasks {
                if isFirst, let there = try await target.delayedTask(task.name), there.payload == task.payload {
                    continue
                }
                missing.append(task)
            }
            isFirst = false
            try await target.send(
                missing.map { task in
                    OutgoingMessage(
                        id: task.message?.id ?? task.name, queue: queue, priority: task.priority, dueAt: task.dueAt,
                        payload: task.payload)
                })
            let before = counts.delayed
            for task in tasks {
                if try await source.change(task, []) { counts.delayed += 1 }
            }
            progress(counts)
            // All of them were changed by others meanwhile, who may still be at it.
            if counts.delayed == before { return }
        }
    }

    /// Moves dead letters, the newest first: those are kept where only some are.
    private func moveDead(_ counts: inout Counts) async throws {
        while case let letters = try await source.deadLetters(in: queue, limit: 100), !letters.isEmpty {
            var missing: [DeadLetter] = []
            for letter in letters.reversed() {
                let there = try await target.deadLetter(letter.id)
                if there?.diedAt != letter.diedAt || there?.payload != letter.payload { missing.append(letter) }
            }
            try await target.keep(missing)
            let before = counts.dead
            for letter in letters {
                if try await source.dropDeadLetter(letter.id) { counts.dead += 1 }
            }
            progress(counts)
            if counts.dead == before { return }
        }
    }
}
