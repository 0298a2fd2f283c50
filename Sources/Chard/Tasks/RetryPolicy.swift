// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// When a task is run again after it failed: how often, and after which delays.
///
/// The delay before retry *n* is drawn evenly from zero to `initialDelay` × `factor`ⁿ, at most `maximumDelay`
/// ("full jitter": it spreads a crowd of failures best). Without jitter it is the upper bound itself.
public struct RetryPolicy: Sendable, Hashable, Codable {
    /// How many runs may follow the first one. Celery's default: 3.
    public var maxRetries: Int
    /// The upper bound of the first delay.
    public var initialDelay: Duration
    /// No delay is longer. Default: 10 minutes, as Celery's `retry_backoff_max`.
    public var maximumDelay: Duration
    /// What the bound is multiplied with from one retry to the next.
    public var factor: Double
    /// Whether delays are drawn at random below their bound.
    public var jitter: Bool
    /// Whether any error brings a retry, or only a thrown ``Retry``.
    public var onAnyError: Bool

    /// Celery's default: errors fail the task at once; a thrown ``Retry`` is obeyed 3 times, each after 180 seconds
    /// unless it says otherwise.
    public static let whenAsked = RetryPolicy(
        maxRetries: 3, initialDelay: .seconds(180), maximumDelay: .seconds(600), factor: 1, jitter: false,
        onAnyError: false)

    /// No retry at all, not even where the body throws ``Retry``.
    public static let never = RetryPolicy(
        maxRetries: 0, initialDelay: .zero, maximumDelay: .zero, factor: 1, jitter: false, onAnyError: false)

    /// Every error brings a retry, up to `maxRetries` of them, with exponential backoff and full jitter.
    public static func exponential(
        maxRetries: Int, initialDelay: Duration = .seconds(1), maximumDelay: Duration = .seconds(600),
        factor: Double = 2, jitter: Bool = true
    ) -> RetryPolicy {
        RetryPolicy(
            maxRetries: maxRetries, initialDelay: initialDelay, maximumDelay: maximumDelay, factor: factor,
            jitter: jitter, onAnyError: true)
    }

    /// Every error brings a retry, up to `maxRetries` of them, always after the same delay.
    public static func constant(maxRetries: Int, delay: Duration) -> RetryPolicy {
        RetryPolicy(
            maxRetries: maxRetries, initialDelay: delay, maximumDelay: delay, factor: 1, jitter: false,
            onAnyError: true)
    }

    /// The delay before the retry that follows `retries` earlier ones; `random` is drawn evenly from 0 ..< 1.
    public func delay(afterRetries retries: Int, random: Double) -> Duration {
        let growth = growth(afterRetries: retries)
        // Compared before it is multiplied: the product may be more than a duration can hold.
        let bound = growth < maximumDelay.seconds / initialDelay.seconds ? initialDelay * growth : maximumDelay
        return jitter ? bound * random : bound
    }

    /// `factor` to the power of `retries`, by squaring: a message may claim any number of retries.
    private func growth(afterRetries retries: Int) -> Double {
        var (growth, square, rest) = (1.0, factor, max(0, retries))
        while rest > 0 {
            if rest % 2 == 1 { growth *= square }
            square *= square
            rest /= 2
        }
        return min(growth, .greatestFiniteMagnitude)
    }

    var problem: String? {
        if maxRetries < 0 { return "maxRetries is \(maxRetries); it must be 0 or more" }
        if initialDelay < .zero || maximumDelay < .zero { return "a retry delay is negative" }
        if initialDelay > maximumDelay {
            return "initialDelay (\(initialDelay)) is longer than maximumDelay (\(maximumDelay))"
        }
        if !(factor >= 1) { return "factor is \(factor); it must be 1 or more" }
        return nil
    }
}

extension RetryPolicy {
    private enum CodingKeys: String, CodingKey {
        case maxRetries = "max", initialDelay = "initial", maximumDelay = "maximum", factor, jitter, onAnyError = "any"
    }

    /// Reads a policy from a message's header, delays in seconds; one that makes no sense is corrupt.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        maxRetries = try container.decode(Int.self, forKey: .maxRetries)
        initialDelay = try container.decodeDelay(forKey: .initialDelay)
        maximumDelay = try container.decodeDelay(forKey: .maximumDelay)
        factor = try container.decode(Double.self, forKey: .factor)
        jitter = try container.decode(Bool.self, forKey: .jitter)
        onAnyError = try container.decode(Bool.self, forKey: .onAnyError)
        if let problem {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: container.codingPath, debugDescription: problem))
        }
    }

    /// Writes the policy for a message's header, delays in seconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(maxRetries, forKey: .maxRetries)
        try container.encode(initialDelay.seconds, forKey: .initialDelay)
        try container.encode(maximumDelay.seconds, forKey: .maximumDelay)
        try container.encode(factor, forKey: .factor)
        try container.encode(jitter, forKey: .jitter)
        try container.encode(onAnyError, forKey: .onAnyError)
    }
}

extension KeyedDecodingContainer {
    fileprivate func decodeDelay(forKey key: Key) throws -> Duration {
        guard let delay = Duration(untrusted: try decode(Double.self, forKey: key)) else {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "out of range")
        }
        return delay
    }
}

/// What is to become of a task whose body threw an error.
public enum ErrorDecision: Sendable, Hashable {
    /// What the policy says.
    case asPolicy
    /// Run it again after the policy's delay, or after this one, if retries are left.
    case retry(after: Duration? = nil)
    /// It fails now, whatever retries are left.
    case fail
    /// It ends without a status, as if ``Ignore`` had been thrown.
    case discard
}
