// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A bucket of tokens for the runs of one task in one worker, and the line of those that wait for theirs. A value without a
/// clock: it is told the time, in seconds.
///
/// Who finds no token is told when to come again: at a time that nobody else was given, so that a burst comes back one by one.
/// A line that is longer than a while is not made: whoever would be behind its end comes again about then, since limits
/// change, and the fewer the more there are, so that coming in vain costs the broker little.
struct RateBucket: Sendable {
    /// How long the line may be.
    static let longest = 60.0
    /// How many that are behind its end come again in a second, at most.
    static let mostInVain = 500.0
    /// Tokens are kept for so long, so that who is a little late takes none from others.
    private static let kept = 0.25
    /// Who comes so much too early goes all the same, and the next one waits the longer.
    private static let early = 0.05

    let rate: Double
    private var tokens = 1.0
    private var filledAt: Double
    /// When the next one in the line is to come.
    private var line: Double
    /// How many are behind the end of the line, and since when they were counted.
    private var behind = 0
    private var behindSince: Double

    /// - Parameter rate: Runs in a second.
    init(rate: Double, at now: Double) {
        self.rate = rate
        (filledAt, line, behindSince) = (now, now, now)
    }

    /// Asks to run. Returns `nil` if that is granted, else in how many seconds to ask again.
    /// - Parameters:
    ///   - hasWaited: Whether it comes again, and so is before those that come for the first time.
    ///   - luck: From 0 to 1: where in the time for its like somebody behind the line's end comes again.
    mutating func take(at now: Double, hasWaited: Bool, luck: Double) -> Double? {
        tokens = min(max(1, rate * Self.kept), tokens + max(0, now - filledAt) * rate)
        filledAt = max(filledAt, now)
        let slack = hasWaited ? min(0.5, rate * Self.early) : 0
        if tokens >= 1 - slack, hasWaited || line <= now {
            tokens -= 1
            return nil
        }
        let place = max(line, now + max(0, 1 - tokens) / rate)
        guard place - now <= max(Self.longest, 1 / rate) else {
            let wait = max(Self.longest, Double(behind) / Self.mostInVain)
            if now - behindSince > wait { (behind, behindSince) = (0, now) }
            behind += 1
            return wait * (0.5 + luck / 2)
        }
        line = place + 1 / rate
        return place - now
    }
}
