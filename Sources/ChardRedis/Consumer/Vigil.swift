// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Whether a process has kept watch for long enough to declare another one lost.
///
/// A heartbeat that is gone proves nothing by itself: what kept this process from the server, or from running at all, may
/// have kept the others from renewing theirs. So it counts only after a whole lease of regular looks over one unbroken
/// connection, under one identity: time enough for whoever lives to find its own heartbeat gone. A value that is told times.
struct Vigil: Sendable {
    private let lease: Duration
    /// What is a late look.
    private let patience: Duration
    private var began: ContinuousClock.Instant
    private var lookedAt: ContinuousClock.Instant

    /// A watch of one look in each `interval`.
    init(lease: Duration, interval: Duration, began: ContinuousClock.Instant) {
        self.lease = lease
        patience = max(lease / 2, interval * 3)
        self.began = began
        lookedAt = began
    }

    /// A look at the server; returns whether what is missing there is lost.
    mutating func looks(at now: ContinuousClock.Instant, connectedSince: ContinuousClock.Instant) -> Bool {
        if now - lookedAt > patience { began = now }
        lookedAt = now
        return now - max(began, connectedSince) >= lease
    }
}
