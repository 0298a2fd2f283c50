// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension MemoryBroker: HistoryStore {
    /// How much is kept.
    public var historyLimits: HistoryLimits { settings.history }

    /// Adds attempts.
    public func note(_ attempts: [AttemptRecord]) async throws {
        change { state, now in state.history.note(attempts, now: now) }
    }

    /// The attempts at one task.
    public func attempts(of id: String) async throws -> [Attempt] {
        change { state, now in state.history.attempts(of: id, now: now) }
    }

    /// The last attempts.
    public func attempts(
        since: Date, onlyBad: Bool, limit: Int, matching isWanted: @escaping @Sendable (Attempt) -> Bool
    ) async throws -> [Attempt] {
        change { state, now in
            state.history.attempts(since: since, onlyBad: onlyBad, limit: limit, now: now, matching: isWanted)
        }
    }

    /// Reads on.
    public func attempts(after cursor: HistoryCursor?, limit: Int) async throws -> HistoryPage {
        change { state, now in state.history.attempts(after: cursor, limit: max(0, limit), now: now) }
    }
}
