// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A broker that keeps the history of tasks: an optional power, which `show` and `list` ask for.
///
/// A history is told behind the settlements that it is of, and nothing depends on it: where it cannot be written, or a process
/// is killed just then, some attempts are missing from it, and no task.
public protocol HistoryStore: Broker {
    /// How much is kept.
    var historyLimits: HistoryLimits { get }

    /// Adds attempts that are over.
    func note(_ attempts: [AttemptRecord]) async throws

    /// The attempts at one task that are over, the oldest first.
    func attempts(of id: String) async throws -> [Attempt]

    /// The attempts that ended at `since` or later and match, the newest first, at most `limit`.
    ///
    /// - Parameters:
    ///   - since: How far back to look.
    ///   - onlyBad: Leaves out what is ``Attempt/End/isGood``, which costs less than reading it.
    ///   - limit: How many are given at most.
    ///   - isWanted: Whether an attempt matches.
    func attempts(
        since: Date, onlyBad: Bool, limit: Int, matching isWanted: @escaping @Sendable (Attempt) -> Bool
    ) async throws -> [Attempt]

    /// Reads on from where somebody was, about in the order in which attempts ended: all that is kept, once each, but for
    /// what is forgotten before it is read.
    ///
    /// - Parameters:
    ///   - cursor: Where; `nil` begins with the oldest that is kept.
    ///   - limit: How many about, at most. None at all means that there are no more for now.
    func attempts(after cursor: HistoryCursor?, limit: Int) async throws -> HistoryPage
}

/// How far somebody has read the history of a broker: only that broker can tell what it means.
public struct HistoryCursor: Sendable, Hashable {
    /// As the broker writes it.
    public let text: String

    /// A cursor that a broker has written so.
    public init(_ text: String) { self.text = text }
}

/// A piece of a history.
public struct HistoryPage: Sendable {
    /// The attempts.
    public var attempts: [Attempt]
    /// Where to read on.
    public var cursor: HistoryCursor

    /// Makes a page.
    public init(_ attempts: [Attempt], then cursor: HistoryCursor) {
        self.attempts = attempts
        self.cursor = cursor
    }
}

/// How much is kept of the history of tasks.
public struct HistoryLimits: Sendable, Hashable {
    /// How many attempts about; 0 keeps no history.
    public var attempts: Int
    /// How long about.
    public var timeToLive: Duration

    /// Limits; what is not given is as usual: 200,000 attempts, for a day.
    public init(attempts: Int = 200_000, timeToLive: Duration = .seconds(86_400)) {
        self.attempts = attempts
        self.timeToLive = timeToLive
    }

    /// The usual limits.
    public static let usual = HistoryLimits()
    /// No history.
    public static let none = HistoryLimits(attempts: 0)

    /// Whether there is a history at all.
    public var isKept: Bool { attempts > 0 && timeToLive > .zero }
}
