// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something that takes a while to find out: whoever looks gets what is known, and it is found out anew behind them.
actor Background<Value: Sendable> {
    private let maxAge: Duration
    private let load: @Sendable () async throws -> Value
    private var kept: Value?
    private var loadedAt: ContinuousClock.Instant?
    private var loading: Task<Void, Never>?

    init(maxAge: Duration, _ load: @escaping @Sendable () async throws -> Value) {
        self.maxAge = maxAge
        self.load = load
    }

    /// What is known; `nil` until it was found out for the first time.
    func value() -> Value? {
        if loading == nil, loadedAt.map({ $0.duration(to: .now) >= maxAge }) ?? true {
            loading = Task {
                let value = try? await load()
                // What could not be found out is what it was.
                kept = value ?? kept
                loadedAt = .now
                loading = nil
            }
        }
        return kept
    }

    /// Finds it out anew at the next look: it was changed.
    func refresh() { loadedAt = nil }
}
