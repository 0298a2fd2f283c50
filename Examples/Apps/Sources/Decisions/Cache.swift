// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCommand

/// Decisions that were made before, for an hour: on Redis or in memory, as the URL says. A result store is just that: values with a
/// time to live.
struct Cache: Sendable {
    private let store: any ResultStore

    init(_ url: String) async throws {
        store = try openBroker(url, keyPrefix: url.hasPrefix("sqlite") ? "" : "decisions:")
        try await store.connect()
    }

    func get(_ key: String) async throws -> Decision? {
        try await store.status(of: key).map { try $0.result.decode(Decision.self) }
    }

    func set(_ key: String, _ decision: Decision) async throws {
        let value = TaskStatus(id: key, state: .success, result: try JSON.encode(decision))
        try await store.store([StatusRecord(value, timeToLive: .seconds(3_600))])
    }

    func close() async { await store.shutdown() }
}
