// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is asked of the broker once for each key, such as the data of a page under one address.
actor SharedTable<Value: Sendable> {
    private let maxAge: Duration
    private var entries: [String: Shared<Value>] = [:]

    /// More are not remembered: an address can be anything.
    static var most: Int { 256 }

    init(maxAge: Duration) {
        self.maxAge = maxAge
    }

    func value(_ key: String, _ load: @escaping @Sendable () async throws -> Value) async throws -> Value {
        if entries.count >= Self.most { await tidy() }
        let entry = entries[key] ?? Shared(maxAge: maxAge, load)
        entries[key] = entry
        return try await entry.value(by: load)
    }

    func forget() async {
        let former = entries.values
        entries = [:]
        for entry in former { await entry.forget() }
    }

    private func tidy() async {
        for (key, entry) in entries where await entry.isIdle { entries[key] = nil }
        if entries.count >= Self.most { entries = [:] }
    }
}
