// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging

/// Ends that a join has a say in: the last member of a chord comes again, with what follows.
///
/// With results on another server there are four steps: the status, the member's end, the settlement with what follows, and
/// the end of the join. See ``joinElsewhere(_:)``.
extension WorkerSession {
    /// Settles until no join withholds anything. Returns what was settled; what a Celery worker keeps waiting is left for later.
    func settleJoining(_ batch: [Conclusion]) async throws -> ([Conclusion], [Receipt]) {
        var settled: ([Conclusion], [Receipt]) = ([], [])
        var open = batch
        while !open.isEmpty {
            let receipts = try await settleOnce(open)
            if settled.0.isEmpty, !receipts.contains(where: { $0.end == .withheld }) { return (open, receipts) }
            var renewed: [Conclusion] = []
            for (conclusion, receipt) in zip(open, receipts) {
                guard receipt.end == .withheld else {
                    settled.0.append(conclusion)
                    settled.1.append(receipt)
                    continue
                }
                if let next = try await renew(conclusion, after: receipt) { renewed.append(next) }
            }
            open = renewed
        }
        return settled
    }

    var joinStore: (any JoinStore)? { (elsewhere ?? broker).power(.joins) }

    /// Counts ends where results are kept, on another server than the message.
    ///
    /// A step cannot be one there. Its order is: the statuses; the ends that only count; the settlement, with what follows a join and
    /// with the mark that it was sent (``JoinPart/mark``); the end of the join. A worker that is killed before the settlement leaves a
    /// message that runs again, and an end that is known already counts once. One that is killed after it leaves a join that is
    /// not over: nobody else can complete it, and who comes to its last member again finds the mark.
    ///
    /// A failure that does not wait for the others is first counted as any end is: so whoever completes the join finds it, should
    /// this worker be killed.
    /// - Returns: The answers up to the one that withholds the settlement, or `nil`.
    private func joinElsewhere(_ parts: [JoinPart], in joins: any JoinStore) async throws -> [JoinAnswer]? {
        var answers: [JoinAnswer] = []
        for part in parts {
            guard part.closing == nil || part.closing == .firstFailure else {
                answers.append(.closed)
                continue
            }
            var counting = part
            counting.closing = nil
            let answer = try await patiently([part.member], in: joins) { [counting] in try await joins.join(counting) }
            answers.append(answer)
            let isWritten = answer.isWritten(closing: part.closing)
            if !isWritten, part.closing == nil || answer != .last { return answers }
        }
        return nil
    }

    /// What keeps a conclusion from being settled, where results are kept on another server.
    func withheldElsewhere(_ conclusion: Conclusion) async throws -> Receipt? {
        guard let joins = joinStore else { return nil }
        do {
            let answers = try await joinElsewhere(conclusion.extras.joins, in: joins)
            return answers.map { Receipt(.withheld, answers: $0.map { .join($0) }) }
        } catch let error as BrokerError where error.isRefusal {
            return Receipt(refusal: error)
        }
    }

    /// Ends the joins on another server whose marks were written, by this worker or before. What is left undone there does no harm.
    /// - Returns: What the settlement has come to, its answers those of the conclusion's parts of joins.
    func closeElsewhere(_ parts: [JoinPart], after receipt: Receipt) async throws -> Receipt {
        guard elsewhere != nil, let joins = joinStore, receipt.end == .settled || receipt.end == .withheld else {
            return receipt
        }
        var marks = receipt.joinAnswers[...]
        var answers: [JoinAnswer] = []
        for part in parts {
            if part.closing != nil {
                if receipt.end == .withheld, marks.isEmpty { break }
                let mark = marks.popFirst()
                do {
                    _ = try await patiently([part.member], in: joins) { try await joins.join(part) }
                } catch let error as BrokerError {
                    logger.debug(
                        "a join is not ended, though what follows it was sent", metadata: ["error": "\(error)"])
                }
                if mark == .late {
                    return Receipt(receipt.end, answers: (answers + [.late]).map { .join($0) })
                }
            }
            answers.append(.closed)
        }
        return receipt
    }

    /// Does what is too much for one step, and opens joins that are kept elsewhere.
    func writeEarly(_ extras: Conclusion.Extras) async throws {
        var openings = extras.openings
        var messages: [OutgoingMessage] = []
        var statuses: [StatusRecord] = []
        for effect in extras.early {
            switch effect {
            case .open(let join): openings.append(join)
            case .push(let message): messages.append(message)
            case .store(let status): statuses.append(status)
            case .putBack, .bury, .grow, .join, .record: break
            }
        }
        if !openings.isEmpty, let joins = joinStore {
            // What a worker before this one has opened may be counted already.
            for index in openings.indices { openings[index].beginsAnew = false }
            try await patiently(openings.map(\.group), in: joins) { [openings] in try await joins.open(openings) }
        }
        if !statuses.isEmpty {
            let store = elsewhere ?? broker
            try await patiently(statuses.map(\.id), in: store) { [statuses] in try await store.store(statuses) }
        }
        if !messages.isEmpty { try await broker.send(messages) }
    }

    /// Makes a conclusion anew, by what the join has said; `nil` where it has to wait, and comes again by itself.
    private func renew(_ conclusion: Conclusion, after receipt: Receipt) async throws -> Conclusion? {
        guard let joins = joinStore,
            var next = try await patiently(
                [], in: joins,
                { [execution, conclusion] in
                    try await execution.renew(conclusion, after: receipt, asking: joins)
                })
        else {
            Task(executorPreference: control) { [self] in
                try? await control.sleep(for: .seconds(1))
                settler.add(conclusion)
            }
            return nil
        }
        next.note = conclusion.note
        bench.grew(by: next.bytes - conclusion.bytes)
        return next
    }
}
