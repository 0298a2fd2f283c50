// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension SQLiteBroker: HistoryStore {
    /// How much is kept.
    public var historyLimits: HistoryLimits { settings.history }

    /// Adds attempts.
    public func note(_ attempts: [AttemptRecord]) async throws {
        guard historyLimits.isKept, !attempts.isEmpty else { return }
        try await engine.write(durably: false) { transaction in try transaction.note(attempts) }
    }

    /// The attempts at one task.
    public func attempts(of id: String) async throws -> [Attempt] {
        let oldest = Date().timeIntervalSince1970 - historyLimits.timeToLive.seconds
        return try await engine.read { db in try StoredAttempt.all(db, of: id, since: oldest) }
    }

    /// The last attempts.
    public func attempts(
        since: Date, onlyBad: Bool, limit: Int, matching isWanted: @escaping @Sendable (Attempt) -> Bool
    ) async throws -> [Attempt] {
        let oldest = max(
            since.timeIntervalSince1970, Date().timeIntervalSince1970 - historyLimits.timeToLive.seconds)
        return try await engine.read { db in
            try StoredAttempt.last(db, since: oldest, onlyBad: onlyBad, limit: max(0, limit), isWanted)
        }
    }

    /// Reads on.
    public func attempts(after cursor: HistoryCursor?, limit: Int) async throws -> HistoryPage {
        let oldest = Date().timeIntervalSince1970 - historyLimits.timeToLive.seconds
        return try await engine.read { db in
            try StoredAttempt.after(db, cursor, since: oldest, limit: max(0, limit))
        }
    }
}
