// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Chard {
    /// What is known of a task: where it is, whence it came, every attempt; `nil` if it was never sent, or is forgotten.
    ///
    /// Attempts are remembered for a day unless the broker is set otherwise. A task that waits is looked for among the next
    /// 10,000 messages of each queue.
    public func find(_ id: String) async throws -> TaskRecord? { try await self.operator.find(id) }
}

extension Operator {
    /// So many messages of each queue are looked through for one task.
    public static let usualDepth = 10_000

    /// What is known of a task; `nil` if it was never sent, or is forgotten.
    ///
    /// - Parameters:
    ///   - id: The task's id.
    ///   - depth: How many messages of each queue are looked through at most.
    public func find(_ id: String, depth: Int = usualDepth) async throws -> TaskRecord? {
        let broker = try app.broker
        async let attempts = broker.power(.history)?.attempts(of: id) ?? []
        async let status = app.results.status(of: id)
        var record = TaskRecord(id: id, place: .gone, status: try await status, attempts: try await attempts)
        if let task = try await broker.power(.delayedTasks)?.delayedTask(id) {
            record.message = task.message
            record.place = .delayed(queue: task.queue, until: task.dueAt)
            return record
        }
        // What is over is looked for nowhere but among the dead letters.
        if record.status?.state.isReady != true {
            try await place(&record, in: broker, depth)
            if case .gone = record.place {} else { return record }
        }
        if let letter = try await broker.power(.inspection)?.deadLetter(id) {
            record.place = .dead(letter)
            record.message = try? TaskMessage(decoding: letter.payload, limits: .held)
            return record
        }
        guard record.status != nil || !record.attempts.isEmpty else { return nil }
        if let kept = try? await failure(of: id, root: record.rootID ?? id)?.failure.message {
            record.message = try? TaskMessage(decoding: kept, limits: .held)
        }
        return record
    }

    /// Looks for a task with the workers, and then in the queues.
    private func place(_ record: inout TaskRecord, in broker: any Broker, _ depth: Int) async throws {
        guard let peekable = broker.power(.peeking), let inspected = broker.power(.inspection) else {
            return
        }
        let workers = try await inspected.workers()
        // Of many queues, most are empty: those are not asked one by one.
        let names = try await inspected.queues().filter { $0.waiting + $0.leased > 0 }.map(\.queue)
        let known = record.attempts.last?.queue
        // The queue it was last in first.
        let queues = names.filter { $0 == known } + names.filter { $0 != known }
        for queue in queues {
            let held = try await peekable.leasedMessages(in: queue, limit: depth, messageLimit: Queues.glance)
            guard let message = held.first(where: { $0.task.id == record.id }), let holder = message.holder else {
                continue
            }
            let worker = workers.first { $0.identity == holder }
            let since = worker?.vitals.running.first { $0.id == record.id }?.since
            record.message = message.message
            record.place = .leased(
                queue: queue, holder: holder, worker: worker, since: since.map { Date(timeIntervalSince1970: $0) })
            return
        }
        let page = 500
        for queue in queues {
            var ahead = 0
            while ahead < depth {
                let messages = try await peekable.waitingMessages(
                    in: queue, from: ahead, limit: min(page, depth - ahead), messageLimit: Queues.glance)
                if let index = messages.firstIndex(where: { $0.task.id == record.id }) {
                    record.message = messages[index].message
                    record.place = .waiting(queue: queue, ahead: ahead + index)
                    return
                }
                ahead += messages.count
                if messages.count < page { break }
            }
        }
        record.searched = depth
    }

    /// The attempts that are over and match, the newest first.
    ///
    /// - Parameters:
    ///   - ends: How they ended; empty for all.
    ///   - pattern: The task's name: `*` stands for any run of characters, `?` for one.
    ///   - queue: The queue that it was sent to.
    ///   - error: What the error's text contains, in capitals or not.
    ///   - since: How far back to look.
    ///   - limit: How many are given at most.
    public func attempts(
        ended ends: Set<Attempt.End> = [], task pattern: String? = nil, queue: String? = nil, error: String? = nil,
        since: Date = .distantPast, limit: Int = 50
    ) async throws -> [Attempt] {
        let pattern = pattern.map { Array($0.utf8) }
        let error = error?.lowercased()
        return try await app.broker.with(.history).attempts(
            since: since, onlyBad: !ends.isEmpty && !ends.contains(where: \.isGood), limit: limit
        ) { attempt in
            (ends.isEmpty || ends.contains(attempt.end))
                && pattern.map { Routes.matches($0, Array(attempt.task.utf8)) } ?? true
                && queue.map { $0 == attempt.queue } ?? true
                && error.map { attempt.error?.lowercased().contains($0) ?? false } ?? true
        }
    }
}
