// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something that is asked of the broker once, however many want to see it at the same time or within a moment.
///
/// What takes long is asked less often, so that the broker is never busy with it for more than a tenth of the time, and nobody waits
/// for it who has something a little older to look at.
actor Shared<Value: Sendable> {
    private let maxAge: Duration
    private var load: @Sendable () async throws -> Value
    private var kept: (value: Value, at: ContinuousClock.Instant, took: Duration)?
    private var loading: Task<Value, any Error>?
    /// Counts what has been forgotten: what was asked for before is not kept.
    private var generation = 0

    /// What takes longer is asked for behind whoever looks.
    private static var long: Duration { .milliseconds(100) }

    init(maxAge: Duration, _ load: @escaping @Sendable () async throws -> Value) {
        self.maxAge = maxAge
        self.load = load
    }

    /// The value, no older than agreed.
    ///
    /// - Parameter load: How it is asked for from now on: what was asked at another time may have that time in it.
    func value(by load: (@Sendable () async throws -> Value)? = nil) async throws -> Value {
        if let load { self.load = load }
        if let kept, kept.at.duration(to: .now) < max(maxAge, kept.took * 10) { return kept.value }
        let isSlow = kept.map { $0.took > Self.long && $0.at.duration(to: .now) < .seconds(120) } ?? false
        if loading == nil { begin() }
        if isSlow, let kept { return kept.value }
        guard let loading else { throw CancellationError() }
        return try await loading.value
    }

    private func begin() {
        let (generation, began) = (generation, ContinuousClock.now)
        // On its own: whoever asked first may leave.
        loading = Task {
            let result = await Task { [load] in try await load() }.result
            if generation == self.generation {
                loading = nil
                if case .success(let value) = result {
                    kept = (value, .now, began.duration(to: .now))
                } else if kept != nil {
                    // Or nobody would hear that the broker is away.
                    kept = nil
                }
            }
            return try result.get()
        }
    }

    /// Forgets what is known: it was changed.
    func forget() {
        kept = nil
        loading = nil
        generation += 1
    }

    /// Whether nobody has asked for it lately.
    var isIdle: Bool { loading == nil && (kept.map { $0.at.duration(to: .now) > maxAge * 5 } ?? true) }
}
