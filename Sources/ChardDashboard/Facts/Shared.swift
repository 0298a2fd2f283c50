// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something that is asked of the broker once, however many want to see it at the same time or within a moment.
actor Shared<Value: Sendable> {
    private let maxAge: Duration
    private let load: @Sendable () async throws -> Value
    private var kept: (value: Value, at: ContinuousClock.Instant)?
    private var loading: Task<Value, any Error>?
    /// Counts what has been forgotten: what was asked for before is not kept.
    private var generation = 0

    init(maxAge: Duration, _ load: @escaping @Sendable () async throws -> Value) {
        self.maxAge = maxAge
        self.load = load
    }

    /// The value, no older than agreed.
    func value() async throws -> Value {
        if let kept, kept.at.duration(to: .now) < maxAge { return kept.value }
        if let loading { return try await loading.value }
        let generation = generation
        // On its own: whoever asked first may leave.
        let task = Task { [load] in try await load() }
        loading = task
        let result = await task.result
        if generation == self.generation {
            loading = nil
            if case .success(let value) = result { kept = (value, .now) }
        }
        return try result.get()
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
