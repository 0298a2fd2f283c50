// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Watches that a consumer which waits for work is really asking for it: a value that is told of events and times.
struct IntakeWatch: Sendable {
    enum Action: Sendable, Hashable {
        case none
        case restart
        case fail
    }

    /// Blocking pops answer every few seconds, if only with nothing. Twice that and a dead connection's deadline is silence.
    private let patience: Duration
    static let restarts = 3

    private var movedAt = ContinuousClock.now
    /// When the last answer came, or none was due: unlike ``movedAt``, starting anew does not count.
    private var answeredAt = ContinuousClock.now
    private var restarted = 0

    init(patience: Duration = .seconds(20)) {
        self.patience = patience
    }

    /// The consumer begins to ask: from now on an answer is due. That none came to the questions before stays known.
    mutating func begins(at now: ContinuousClock.Instant) {
        movedAt = now
    }

    /// An answer came.
    mutating func moved(at now: ContinuousClock.Instant) {
        movedAt = now
        answeredAt = now
        restarted = 0
    }

    /// What to do about it; `isClaiming` while the consumer waits for work over a connection that stands.
    mutating func looked(at now: ContinuousClock.Instant, isClaiming: Bool) -> Action {
        guard isClaiming else {
            movedAt = now
            answeredAt = now
            return .none
        }
        guard now - movedAt > patience else { return .none }
        movedAt = now
        restarted += 1
        return restarted > Self.restarts ? .fail : .restart
    }

    /// Since when an answer is due, where that is longer ago than it may be.
    func standsSince(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        now - answeredAt > patience ? answeredAt : nil
    }
}
