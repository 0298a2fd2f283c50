// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How often each worker may begin to run a task: Celery's `rate_limit`.
///
/// ```swift
/// app.task("shop.ping", options: TaskOptions(rateLimit: .perSecond(10))) { ... }
/// ```
public struct RateLimit: Sendable, Hashable, CustomStringConvertible {
    /// How many runs in a second, above 0.
    public let runsPerSecond: Double
    /// As Celery writes it: `10/s`, `100/m`, `5/h`.
    public let description: String

    private init(_ number: Double, per unit: Character, seconds: Double) {
        runsPerSecond = number / seconds
        description = (Int(exactly: number).map { "\($0)" } ?? "\(number)") + "/\(unit)"
    }

    /// So many runs in a second.
    public static func perSecond(_ runs: Double) -> RateLimit { RateLimit(runs, per: "s", seconds: 1) }
    /// So many runs in a minute.
    public static func perMinute(_ runs: Double) -> RateLimit { RateLimit(runs, per: "m", seconds: 60) }
    /// So many runs in an hour.
    public static func perHour(_ runs: Double) -> RateLimit { RateLimit(runs, per: "h", seconds: 3_600) }

    /// Reads Celery's form, in which a number alone is one of runs in a second; `nil` where it is another, or not above 0.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let number = Double(first), number > 0, number.isFinite else { return nil }
        switch parts.count == 2 ? parts[1] : "s" {
        case "s", "": self = .perSecond(number)
        case "m": self = .perMinute(number)
        case "h": self = .perHour(number)
        default: return nil
        }
    }
}

extension RateLimit {
    /// The header of a message that has waited for its turn.
    static let waitedHeader = HeaderOnTheWay.rateLimited
}
