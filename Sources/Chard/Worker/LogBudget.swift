// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How many lines of one kind may be written: so many a second on average, and ten times as many at once. What is left out is
/// counted. A value without a clock.
struct LogBudget {
    /// Lines that are alike: of one task, and of one level.
    struct Kind: Hashable {
        var task: String
        var ending: Ending
    }

    /// What lines tell of.
    enum Ending: Hashable {
        case well, again, badly
    }

    /// Lines of a kind that were left out.
    struct Omission {
        let kind: Kind
        let count: Int
        let since: ContinuousClock.Instant
    }

    /// Whether a line may be written.
    enum Answer {
        case write
        /// It is left out; the first one of some should be followed by a word about how many there were.
        case leaveOut(isFirst: Bool)
    }

    private struct Bucket {
        var lines: Double
        var at: ContinuousClock.Instant
        var leftOut = 0
        var leftOutSince: ContinuousClock.Instant

        mutating func take(at now: ContinuousClock.Instant, _ rate: Double, _ burst: Double) -> Answer {
            lines = min(burst, lines + (now - at).seconds * rate)
            at = now
            if lines >= 1 {
                lines -= 1
                return .write
            }
            leftOut += 1
            if leftOut == 1 { leftOutSince = now }
            return .leaveOut(isFirst: leftOut == 1)
        }
    }

    private let rate: Double
    private let burst: Double
    private var buckets: [Kind: Bucket] = [:]
    /// The kind that was asked for last, and where its bucket is.
    private var last: (kind: Kind, place: Dictionary<Kind, Bucket>.Index)?

    /// Names come from messages: more than this share one budget.
    static let mostKinds = 1_000

    init(linesPerSecond: Double) {
        rate = max(0, linesPerSecond)
        burst = max(1, rate * 10)
    }

    mutating func ask(_ kind: Kind, at now: ContinuousClock.Instant) -> Answer {
        // Each run that ends asks, and mostly of the same task as the one before: to compare names is less than to hash one.
        if let last, last.kind == kind { return buckets.values[last.place].take(at: now, rate, burst) }
        if let place = buckets.index(forKey: kind) {
            last = (kind, place)
            return buckets.values[place].take(at: now, rate, burst)
        }
        // What is added moves the others.
        last = nil
        return buckets[room(for: kind, at: now), default: Bucket(lines: burst, at: now, leftOutSince: now)]
            .take(at: now, rate, burst)
    }

    /// What was left out since it was last asked for.
    mutating func takeOmissions() -> [Omission] {
        last = nil
        return buckets.compactMap { kind, bucket in
            bucket.leftOut == 0 ? nil : Omission(kind: kind, count: bucket.leftOut, since: bucket.leftOutSince)
        }.sorted { $0.count > $1.count }.map { omission in
            buckets[omission.kind]?.leftOut = 0
            return omission
        }
    }

    /// The kind under which a new one is counted.
    private mutating func room(for kind: Kind, at now: ContinuousClock.Instant) -> Kind {
        guard buckets.count >= Self.mostKinds else { return kind }
        buckets = buckets.filter { $1.leftOut > 0 || $1.lines + (now - $1.at).seconds * rate < burst }
        return buckets.count < Self.mostKinds ? kind : Kind(task: "", ending: kind.ending)
    }
}
