// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: HistoryStore {
    /// How much is kept.
    public var historyLimits: HistoryLimits { settings.history }

    /// Adds attempts.
    public func note(_ attempts: [AttemptRecord]) async throws {
        try await translatingErrors { () throws(RedisError) in try await server.history.note(attempts) }
    }

    /// The attempts at one task.
    public func attempts(of id: String) async throws -> [Attempt] {
        try await translatingErrors { () throws(RedisError) in try await server.history.attempts(of: id) }
    }

    /// The last attempts.
    public func attempts(
        since: Date, onlyBad: Bool, limit: Int, matching isWanted: @escaping @Sendable (Attempt) -> Bool
    ) async throws -> [Attempt] {
        try await translatingErrors { () throws(RedisError) in
            try await server.history.attempts(since: since, onlyBad: onlyBad, limit: limit, matching: isWanted)
        }
    }

    /// Reads on.
    public func attempts(after cursor: HistoryCursor?, limit: Int) async throws -> HistoryPage {
        try await translatingErrors { () throws(RedisError) in
            try await server.history.attempts(after: cursor, limit: limit)
        }
    }
}
