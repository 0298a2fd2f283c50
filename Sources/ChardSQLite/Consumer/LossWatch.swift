// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Tells which holders are lost, by watching their beats: a value that is told what was seen, and when.
///
/// A holder whose beat has stood still for a whole lease is lost. Only the watcher's own monotonic clock is asked, so that
/// no clock that is set, and no two that differ, can take a lease away. And a look that comes late proves nothing: whatever
/// kept this process from looking may have kept the others from beating, so the watch begins anew.
struct LossWatch: Sendable {
    private let lease: Duration
    private var seen: [Int64: (beat: Int64, since: ContinuousClock.Instant)] = [:]
    private var lookedAt: ContinuousClock.Instant?

    init(lease: Duration) {
        self.lease = lease
    }

    /// Takes the beats of all holders, and answers those that are lost.
    mutating func looked(at now: ContinuousClock.Instant, beats: [Int64: Int64]) -> Set<Int64> {
        let isLate = lookedAt.map { now - $0 > lease / 2 } ?? true
        lookedAt = now
        var lost: Set<Int64> = []
        var next = seen.filter { beats[$0.key] != nil && !isLate }
        for (holder, beat) in beats {
            if let seen = next[holder], seen.beat == beat {
                if now - seen.since >= lease { lost.insert(holder) }
            } else {
                next[holder] = (beat, now)
            }
        }
        seen = next
        return lost
    }
}
