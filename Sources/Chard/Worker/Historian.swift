// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Writes what a worker's attempts came to into the history, behind the settlements and apart from them.
///
/// The first attempt is written at once; what ends while that is being written, and for a moment after it, goes together. So an
/// idle worker's history is there with its result, and a busy one's costs a few commands a second. Whatever the broker says to
/// it, no settlement waits.
final class Historian: Sendable {
    private struct State {
        var pending: [AttemptRecord] = []
        var isWriting = false
        var dropped = 0
    }

    private let store: @Sendable ([AttemptRecord]) async throws -> Void
    private let logger: Logger
    private let pause: Duration
    private let state = Mutex(State())
    private let reminder = Mutex(Reminder())

    /// What waits to be written is no more than this, however long the broker does not take it.
    static let most = 20_000

    /// Makes one for a broker that keeps a history; `nil` for any other.
    convenience init?(_ broker: any Broker, logger: Logger) {
        guard let store = broker.power(.history), store.historyLimits.isKept else { return nil }
        self.init(logger: logger) { try await store.note($0) }
    }

    init(
        logger: Logger, pause: Duration = .milliseconds(50),
        _ store: @escaping @Sendable ([AttemptRecord]) async throws -> Void
    ) {
        self.store = store
        self.logger = logger
        self.pause = pause
    }

    func add(_ attempts: [AttemptRecord]) {
        guard !attempts.isEmpty else { return }
        let begins = state.withLock { state in
            let room = Self.most - state.pending.count
            state.pending += attempts.prefix(max(0, room))
            state.dropped += max(0, attempts.count - max(0, room))
            defer { state.isWriting = true }
            return !state.isWriting
        }
        guard begins else { return }
        // Not on the thread of control: it has more urgent things to do.
        Task(executorPreference: globalConcurrentExecutor) { [self] in
            while let batch = next() {
                await write(batch)
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Waits until all is written, for a while.
    func close(within limit: Duration = .seconds(2)) async {
        let deadline = ContinuousClock.now + limit
        while state.withLock({ $0.isWriting }), .now < deadline {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func next() -> [AttemptRecord]? {
        state.withLock { state in
            guard !state.pending.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { state.pending = [] }
            return state.pending
        }
    }

    private func write(_ batch: [AttemptRecord]) async {
        do {
            try await store(batch)
        } catch {
            let dropped = state.withLock { state in
                defer { state.dropped = 0 }
                return state.dropped + batch.count
            }
            guard reminder.withLock({ $0.isDue() }) else { return }
            logger.warning(
                "the history of tasks is not written",
                metadata: [LogKey.count: "\(dropped)", LogKey.error: "\(error)"])
        }
    }
}
