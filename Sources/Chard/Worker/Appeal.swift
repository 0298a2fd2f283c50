// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is tried in place of an end that the broker refuses to write: the task has run, and must neither run again nor vanish.
///
/// First comes its failure, which says why; then a dead letter, which needs other rights and is in another place. While none of
/// it is taken the message stays held, and all is tried again from the beginning.
struct Appeal: Sendable {
    /// What should have been written.
    let original: Conclusion
    /// When that was refused first.
    let since: ContinuousClock.Instant
    /// What is left to try instead; `nil` while the original is tried.
    let rest: [Conclusion]?
    /// Whether this is the very last that can be tried.
    let isLast: Bool

    init(
        of original: Conclusion, since: ContinuousClock.Instant, rest: [Conclusion]? = nil, isLast: Bool = false
    ) {
        self.original = original
        self.since = since
        self.rest = rest
        self.isLast = isLast
    }

    /// How long a refusal that somebody may mend is borne with: rights are given back, a key is removed.
    static let patience: Duration = .seconds(5)
    /// How long to wait before it is tried again.
    static let interval: Duration = .seconds(1)

    enum Step {
        case now(Conclusion)
        case later(Conclusion)
        /// Nothing is taken: the message stays held.
        case giveUp
    }

    /// What to do about the refusal of the original, or of what was tried in its place.
    ///
    /// - Parameter isTaking: Whether the worker goes on, so that there is a later.
    func step(
        because reason: String, isForGood: Bool, isTaking: Bool, at now: ContinuousClock.Instant, _ concluder: Concluder
    ) -> Step {
        if rest == nil, !isForGood, isTaking, now - since < Self.patience { return .later(trying(original)) }
        let left = rest ?? concluder.alternatives(to: original, because: reason)
        if let next = left.first { return .now(trying(next, then: Array(left.dropFirst()))) }
        if isTaking { return .later(trying(original)) }
        // It has run, and the worker ends: that counts, or it would run again for ever.
        guard !isLast, !original.isHandingBack else { return .giveUp }
        return .now(trying(concluder.countingLoss(of: original.settlement.delivery), then: [], isLast: true))
    }

    private func trying(_ conclusion: Conclusion, then rest: [Conclusion]? = nil, isLast: Bool = false) -> Conclusion {
        var conclusion = conclusion
        conclusion.extras.appeal = Appeal(of: original, since: since, rest: rest, isLast: isLast)
        return conclusion
    }
}

extension Concluder {
    /// What to try, one after the other, in place of a conclusion that is refused for this reason.
    func alternatives(to refused: Conclusion, because reason: String) -> [Conclusion] {
        let delivery = refused.settlement.delivery
        let effects = refused.settlement.effects
        if refused.isHandingBack { return [] }
        let message =
            delivery.excerptOf == nil ? try? TaskMessage(decoding: delivery.payload, limits: .held) : nil
        let isSuccess = (effects.onlyStatus ?? refused.extras.statuses.first)?.state == .success
        let size = effects.statuses.first?.json.count ?? refused.extras.statuses.first?.json.count ?? 0
        let error = TaskError.resultNotStored(isSuccess ? size : nil, reason)
        // What waits for the task is told of its failure.
        if let message, let embed = try? message.decodeBody(limits: .held).embed, !embed.isEmpty {
            var known = KnownJoins()
            known.broken = TaskError(
                "ChordError", "the end of \(message.id) cannot be counted: \(reason)", module: "celery.exceptions")
            return [
                conclude(.failure(error, keptAs: nil), of: message, embed: embed, task: nil, delivery: delivery),
                // Where it is the join that is refused, and not the status: nobody is to wait for what cannot come.
                conclude(
                    .failure(error, keptAs: .resultNotStored), of: message, embed: embed, task: nil, delivery: delivery,
                    known: known),
                Conclusion(
                    Settlement(delivery, [.bury(letter(.resultNotStored, error.description, message, delivery))]),
                    as: .failed),
            ]
        }
        let failure = Effects(storing: status(.failure, error, message, nil))
        var buried: Effects = []
        var letter = self.letter(.resultNotStored, error.description, message, delivery)
        for case .bury(let own) in effects {
            letter = own
            letter.error += "; \(error)"
        }
        buried.append(.bury(letter))
        var both = failure
        both.append(.bury(letter))
        // A success needs nobody's care but the caller's. What has not succeeded is kept, to be looked after.
        let all = isSuccess ? [failure, buried] : [both, buried, failure]
        return all.filter { !$0.isEmpty }.map { effects in
            var conclusion = Conclusion(Settlement(delivery, effects), as: .failed)
            if keepsResultsElsewhere { conclusion.extras.statuses = conclusion.settlement.effects.takeStatuses() }
            return conclusion
        }
    }

    /// What becomes of a message whose run ends with its process, in an error: it counts as lost, or it would run again and again.
    func countingLoss(of delivery: Delivery) -> Conclusion {
        let held = OutgoingMessage(id: "", queue: delivery.queue, payload: delivery.payload)
        let id = (try? TaskMessage(decoding: delivery.payload, limits: .held))?.id
        let recovery = Recovery(
            of: held, excerptOf: delivery.excerptOf, from: node, because: "the worker ended in an error",
            maximumLosses: Recovery.lastChance + 1, noted: Set([id].compactMap(\.self)), seal: seal,
            now: settings.now(), lifetimes: rules.lifetimes)
        return Conclusion(Settlement(delivery, recovery.effects), as: .none)
    }
}

extension TaskError {
    /// - Parameter size: The size of the status, where it is that of a success.
    static func resultNotStored(_ size: Int?, _ reason: String) -> TaskError {
        let what =
            size.map { "the task has succeeded, but its result (\($0) bytes with all that is stored of it)" }
            ?? "the task has ended, but how it did"
        return TaskError("ResultNotStored", "\(what) could not be stored: \(reason)", module: "chard")
    }
}
