// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// How ends are written: what belongs elsewhere before what belongs to the broker, and what is refused in another form.
extension WorkerSession {
    /// Settles once, whatever joins say to it. With results on another server they are written first: a crash between the two runs
    /// the task again.
    func settleOnce(_ batch: [Conclusion]) async throws -> [Receipt] {
        var receipts = try await storeElsewhere(batch)
        if receipts.isEmpty, !batch.contains(where: \.hasPrelude) {
            return try await consumer.settle(batch.map(\.settlement))
        }
        for index in batch.indices where receipts[index] == nil {
            do {
                let answers = elsewhere == nil ? nil : try await joinElsewhere(batch[index].extras.joins)
                if let answers {
                    receipts[index] = Receipt(.withheld, answers: answers.map { .join($0) })
                } else {
                    try await writeEarly(batch[index].extras)
                }
            } catch let error as BrokerError where error.isRefusal {
                receipts[index] = Receipt(refusal: error)
            }
        }
        let free = batch.indices.filter { receipts[$0] == nil }
        let written = free.isEmpty ? [] : try await consumer.settle(free.map { batch[$0].settlement })
        for (index, receipt) in zip(free, written) {
            receipts[index] = receipt
            guard let joins = joinStore, receipt.end == .settled else { continue }
            for part in batch[index].extras.joins where part.closing != nil { _ = try await joins.join(part) }
        }
        return batch.indices.map { receipts[$0] ?? .uncertain }
    }

    /// Stores what belongs elsewhere. Returns what is refused there, by its place in the batch.
    private func storeElsewhere(_ batch: [Conclusion]) async throws -> [Int: Receipt] {
        guard let elsewhere else { return [:] }
        let places = batch.indices.filter { !batch[$0].extras.statuses.isEmpty }
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
        // A store that somebody else wrote may block its thread.
        let executor: any TaskExecutor = elsewhere is any ThreadLendingBroker ? control : globalConcurrentExecutor
        try await Patience.store(
            statuses.map(\.id), logger: logger, while: { bench.isOpen }, sleep: { try await control.sleep(for: $0) }
        ) {
            try await withTaskExecutorPreference(executor) { try await elsewhere.store(statuses) }
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
