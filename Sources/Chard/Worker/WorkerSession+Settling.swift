// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// How ends are written: what belongs elsewhere before what belongs to the broker, and what is refused in another form.
extension WorkerSession {
    /// Settles once, whatever joins say to it. With results on another server they are written first: a crash between the two runs
    /// the task again. See ``joinElsewhere(_:)`` for the order.
    func settleOnce(_ batch: [Conclusion]) async throws -> [Receipt] {
        var receipts: [Int: Receipt] = [:]
        // A failure that does not wait for the other members overwrites nothing where it comes too late.
        for index in batch.indices where elsewhere != nil && batch[index].extras.failsFirst {
            receipts[index] = try await withheldElsewhere(batch[index])
        }
        receipts.merge(try await storeElsewhere(batch, except: Set(receipts.keys))) { first, _ in first }
        if receipts.isEmpty, !batch.contains(where: \.hasPrelude) {
            return try await consumer.settle(batch.map(\.settlement))
        }
        for index in batch.indices where receipts[index] == nil {
            if elsewhere != nil { receipts[index] = try await withheldElsewhere(batch[index]) }
            if receipts[index] != nil { continue }
            do {
                try await writeEarly(batch[index].extras)
            } catch let error as BrokerError where error.isRefusal {
                receipts[index] = Receipt(refusal: error)
            }
        }
        let free = batch.indices.filter { receipts[$0] == nil }
        let written = free.isEmpty ? [] : try await consumer.settle(free.map { batch[$0].settlement })
        for (index, receipt) in zip(free, written) {
            receipts[index] = try await closeElsewhere(batch[index].extras.joins, after: receipt)
        }
        return batch.indices.map { receipts[$0] ?? .uncertain }
    }

    /// Stores what belongs elsewhere. Returns what is refused there, by its place in the batch.
    private func storeElsewhere(_ batch: [Conclusion], except others: Set<Int>) async throws -> [Int: Receipt] {
        guard let elsewhere else { return [:] }
        let places = batch.indices.filter { !batch[$0].extras.statuses.isEmpty && !others.contains($0) }
        guard !places.isEmpty else { return [:] }
        do {
            try await store(places.flatMap { batch[$0].extras.statuses }, in: elsewhere)
            return [:]
        } catch let error as BrokerError where error.isRefusal {
            guard places.count > 1 else { return [places[0]: Receipt(refusal: error)] }
        }
        // What refuses them together may be meant for one alone.
        var refused: [Int: Receipt] = [:]
        for place in places {
            do {
                try await store(batch[place].extras.statuses, in: elsewhere)
            } catch let error as BrokerError where error.isRefusal {
                refused[place] = Receipt(refusal: error)
            }
        }
        return refused
    }

    private func store(_ statuses: [StatusRecord], in elsewhere: any ResultStore) async throws {
        try await patiently(statuses.map(\.id), in: elsewhere) { try await elsewhere.store(statuses) }
    }

    /// Asks a store where results are kept, again for as long as it is merely away.
    /// - Parameter ids: The tasks whose ends wait for it.
    func patiently<Answer: Sendable>(
        _ ids: @autoclosure () -> [String], in store: any ResultStore,
        _ body: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        // A store that somebody else wrote may block its thread.
        let executor: any TaskExecutor = store.power(.threads) != nil ? control : globalConcurrentExecutor
        return try await Patience.store(
            ids(), logger: logger, while: { bench.isOpen }, sleep: { try await control.sleep(for: $0) }
        ) {
            try await withTaskExecutorPreference(executor) { try await body() }
        }
    }

    /// Sees to it that a task whose end is refused comes to another one. Returns whether nothing is left to be tried.
    func appeal(_ conclusion: Conclusion, against receipt: Receipt) -> Bool {
        guard case .refused(let reason, let isForGood) = receipt.end else { return true }
        let appeal = conclusion.extras.appeal ?? Appeal(of: conclusion, since: .now)
        let isNew = refusal.withLock { last in
            defer { last = reason }
            return last != reason
        }
        logger.log(
            level: isNew ? .error : .debug,
            "what comes of a task is refused; it becomes a failure or a dead letter unless that is mended at once",
            metadata: [
                LogKey.queue: "\(conclusion.settlement.delivery.queue)", LogKey.error: "\(reason)",
                LogKey.taskID: "\(MessageIdentity(conclusion.settlement.delivery.payload).id ?? "")",
            ])
        switch appeal.step(
            because: reason, isForGood: isForGood, isTaking: bench.isTaking, at: .now, execution.concluder)
        {
        case .giveUp:
            return true
        case .now(var next):
            next.note = conclusion.note
            bench.grew(by: next.bytes - conclusion.bytes)
            settler.add(next)
        case .later(var next):
            next.note = conclusion.note
            bench.grew(by: next.bytes - conclusion.bytes)
            guard settler.addRefused(next) else { break }
            Task(executorPreference: control) { [self] in
                try? await control.sleep(for: Appeal.interval)
                settler.retry()
            }
        }
        return false
    }
}
