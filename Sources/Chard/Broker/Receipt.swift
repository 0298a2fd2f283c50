// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What came of a settlement.
public struct Receipt: Sendable, Hashable {
    /// How it ended.
    public enum End: Sendable, Hashable {
        /// Everything in it was written.
        case settled
        /// The lease was gone, so nothing was written: another worker owns the task now.
        case fenced
        /// The connection was cut between question and answer, and the lease was gone when asked again:
        /// either the first try was written whole, or nothing was.
        case uncertain
        /// Nothing was written, and the message is still leased: an effect said why, in its answer.
        case withheld
        /// The broker does not take it, for a reason that waiting does not mend by itself: nothing was written, and the
        /// message is still held. `isForGood` where it will never take this, whoever changes what: it is too large.
        case refused(because: String, isForGood: Bool)
    }

    /// How it ended.
    public var end: End
    /// What its effects had to say, in their order: nothing for those that have nothing to say.
    public var answers: [Effect.Answer]

    /// Makes a receipt.
    public init(_ end: End, answers: [Effect.Answer] = []) {
        self.end = end
        self.answers = answers
    }

    /// Everything was written, and there is nothing to say about it.
    public static let settled = Receipt(.settled)
    /// Nothing was written, since the lease was gone.
    public static let fenced = Receipt(.fenced)
    /// Whether it was written is not known.
    public static let uncertain = Receipt(.uncertain)

    /// What joins have to say to the parts of the settlement, in their order; of what was withheld, up to the one that
    /// withheld it.
    public var joinAnswers: [JoinAnswer] {
        answers.compactMap { if case .join(let answer) = $0 { answer } else { nil } }
    }

    /// What a broker refuses for a reason that waiting does not mend.
    init(refusal error: BrokerError) {
        self.init(.refused(because: error.message, isForGood: error.code == .tooLarge))
    }

    /// Whether the broker has refused it, so that the message is still held.
    public var isRefusal: Bool {
        if case .refused = end { true } else { false }
    }
}
