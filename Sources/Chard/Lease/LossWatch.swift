// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Whether a process has watched the others for long enough to declare one of them lost: a value that is told what was
/// seen, and when.
///
/// A heartbeat that is gone, or stands still, proves nothing by itself: what kept this process from the broker, or from
/// running at all, may have kept the others from renewing theirs. So it counts only after a whole lease of regular looks:
/// time enough for whoever lives to renew its own. A look that comes late begins the watch anew. Only this process's
/// monotonic clock is asked, so that no clock that somebody sets, and no two that differ, can take a lease away.
package struct LossWatch: Sendable {
    private let lease: Duration
    /// After how long a look is late.
    private let patience: Duration
    private var began: ContinuousClock.Instant
    private var lookedAt: ContinuousClock.Instant
    /// The beats that the last look found, and since when each has stood still.
    private var seen: [Int64: (beat: Int64, since: ContinuousClock.Instant)] = [:]

    /// A watch of one look in each `interval`.
    package init(lease: Duration, interval: Duration, began: ContinuousClock.Instant) {
        self.lease = lease
        patience = max(lease / 2, interval * 3)
        self.began = began
        lookedAt = began
    }

    /// A look at a broker that lets heartbeats expire. Returns whether those that are gone are lost: not unless watch was
    /// kept over one unbroken connection.
    package mutating func looks(
        at now: ContinuousClock.Instant, connectedSince: ContinuousClock.Instant
    ) -> Bool {
        look(at: now)
        return isProof(now, since: connectedSince)
    }

    /// A look at a broker that only counts heartbeats. Takes the number of heartbeats of each of the others, and returns
    /// those that are lost: whose number has not changed for a whole lease.
    package mutating func looks(at now: ContinuousClock.Instant, beats: [Int64: Int64]) -> Set<Int64> {
        look(at: now)
        var lost: Set<Int64> = []
        seen = seen.filter { beats[$0.key] == $0.value.beat }
        for (holder, beat) in beats {
            if let (_, since) = seen[holder] {
                if isProof(now, since: since) { lost.insert(holder) }
            } else {
                seen[holder] = (beat, now)
            }
        }
        return lost
    }

    private mutating func look(at now: ContinuousClock.Instant) {
        if now - lookedAt > patience { began = now }
        lookedAt = now
    }

    /// Whether what has been so since `start` was watched for a whole lease.
    private func isProof(_ now: ContinuousClock.Instant, since start: ContinuousClock.Instant) -> Bool {
        now - max(began, start) >= lease
    }
}
