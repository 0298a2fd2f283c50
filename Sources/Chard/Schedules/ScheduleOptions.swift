// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What holds for a schedule beside its times.
public struct ScheduleOptions: Sendable {
    /// What becomes of ticks that came while no scheduler was there.
    public enum CatchUp: Sendable, Hashable {
        /// They are dropped.
        case none
        /// The latest is sent, once, for all of them.
        case latest
        /// The latest so many are sent, oldest first.
        case all(upTo: Int)
    }

    /// What a tick does whose predecessor's task is unfinished.
    public enum Overlap: String, Sendable, Hashable, Codable {
        /// It is sent all the same.
        case allow
        /// It is dropped.
        case skip
        /// It is sent when that task has ended; several that wait become one.
        case wait
    }

    /// No tick comes before this; intervals count from here.
    public var startsAt: Date?
    /// No tick comes after this.
    public var endsAt: Date?
    /// Each tick is sent up to so much later than its time says. How much is reckoned from the schedule's name and the
    /// tick's time, so that all schedulers agree. No ticks overtake each other.
    public var jitter: Duration
    /// Whether there are ticks at all.
    public var isEnabled: Bool
    /// What becomes of ticks that came while no scheduler was there.
    public var catchUp: CatchUp
    /// A tick that is late by no more than this was not missed: it is sent as if nothing had been. Later than this,
    /// ``catchUp`` decides about all that are due.
    public var grace: Duration
    /// What a tick does whose predecessor's task is unfinished, that is: has no final status.
    public var overlap: Overlap
    /// After so long without any status, and with no worker that says it runs it, a task counts as ended: its message may
    /// have been deleted.
    public var overlapLimit: Duration
    /// What holds for each call of the task. Neither id, ETA, countdown nor a fixed time of expiry can be given.
    public var call: EnqueueOptions

    /// Makes options; by default every tick is sent within ten seconds or, after a longer absence, the latest one.
    public init(
        startsAt: Date? = nil, endsAt: Date? = nil, jitter: Duration = .zero, isEnabled: Bool = true,
        catchUp: CatchUp = .latest, grace: Duration = .seconds(10), overlap: Overlap = .allow,
        overlapLimit: Duration = .seconds(3600), call: EnqueueOptions = EnqueueOptions()
    ) {
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.jitter = jitter
        self.isEnabled = isEnabled
        self.catchUp = catchUp
        self.grace = grace
        self.overlap = overlap
        self.overlapLimit = overlapLimit
        self.call = call
    }
}
