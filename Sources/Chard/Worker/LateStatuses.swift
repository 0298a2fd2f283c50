// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import Logging
import Synchronization

/// The failures of lost tasks on their way to a store that is not their broker: one task stores them, however many come and
/// however long that server is away, and no more than so many wait.
final class LateStatuses: Sendable {
    private struct State {
        var waiting: Deque<StatusRecord> = []
        var isStoring = false
    }

    /// How many are stored in one step.
    private static let step = 500

    private let limit: Int
    private let logger: Logger
    private let state = Mutex(State())

    init(limit: Int = 10_000, logger: Logger) {
        self.limit = limit
        self.logger = logger
    }

    /// How many wait.
    var count: Int { state.withLock { $0.waiting.count } }

    /// Stores statuses as soon as that is possible.
    func store(_ statuses: [StatusRecord], in results: any ResultStore) {
        let (isFirst, dropped) = state.withLock { state in
            let room = max(0, limit - state.waiting.count)
            state.waiting += statuses.prefix(room)
            defer { state.isStoring = true }
            return (!state.isStoring, statuses.dropFirst(room).map(\.id))
        }
        tell(dropped, "too many wait already")
        guard isFirst else { return }
        Task {
            while let next = take() {
                do {
                    try await Patience.store(next.map(\.id), logger: logger) { try await results.store(next) }
                } catch {
                    tell(next.map(\.id), "\(error)")
                }
            }
        }
    }

    private func take() -> [StatusRecord]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isStoring = false
                return nil
            }
            defer { state.waiting.removeFirst(min(Self.step, state.waiting.count)) }
            return Array(state.waiting.prefix(Self.step))
        }
    }

    /// Their dead letters are there all the same.
    private func tell(_ ids: [String], _ reason: String) {
        guard !ids.isEmpty else { return }
        logger.error(
            "the failures of lost tasks cannot be stored; see the dead letters",
            metadata: [LogKey.taskIDs: "\(LogKey.list(ids))", LogKey.error: "\(reason)"])
    }
}
