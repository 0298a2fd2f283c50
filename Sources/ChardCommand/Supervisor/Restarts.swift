// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How long to wait before a child that ended is replaced: not at all, unless it ended before it was ready.
///
/// A child that cannot start would otherwise be started as fast as the machine can.
struct Restarts: Sendable {
    private var failedStarts = 0

    static let longest: Duration = .seconds(30)

    /// The wait after a child's end.
    mutating func delay(wasReady: Bool) -> Duration {
        guard !wasReady else {
            failedStarts = 0
            return .zero
        }
        failedStarts += 1
        return min(Self.longest, .milliseconds(500) * (1 << min(failedStarts - 1, 10)))
    }
}
