// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Ends that a join has a say in: the last member of a chord comes again, with what follows.
///
/// With results on another server there are four steps: the status, the member's end, the settlement with what follows, and
/// the end of the join. A worker that is killed in between leaves a message that runs again and finds the join as it was.
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

    var joinStore: (any JoinStore)? { (elsewhere ?? broker) as? any JoinStore }

    /// Counts ends where results are kept. Returns the answers up to the one that withholds the settlement, or `nil`.
    func joinElsewhere(_ parts: [JoinPart]) async throws -> [JoinAnswer]? {
        guard let joins = joinStore else { return nil }
        var answers: [JoinAnswer] = []
        for part in parts where part.closing == nil {
            let answer = try await joins.join(part)
            answers.append(answer)
            if !answer.isWritten(closing: nil) { return answers }
        }
        return nil
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
        if !openings.isEmpty { try await joinStore?.open(openings) }
        if !statuses.isEmpty { try await (elsewhere ?? broker).store(statuses) }
        if !messages.isEmpty { try await broker.send(messages) }
    }

    /// Makes a conclusion anew, by what the join has said; `nil` where it has to wait, and comes again by itself.
    private func renew(_ conclusion: Conclusion, after receipt: Receipt) async throws -> Conclusion? {
        guard let joins = joinStore,
            var next = try await execution.renew(conclusion, after: receipt, asking: joins)
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
