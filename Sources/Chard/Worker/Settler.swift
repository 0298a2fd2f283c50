// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Gathers what ends while a batch is being written, so that batches grow with the load and an idle worker's single
/// settlement leaves at once: no timer, one round trip for as many as there are.
final class Settler: Sendable {
    private struct State {
        var pending: [Conclusion] = []
        var waiter: CheckedContinuation<[Conclusion]?, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Whether somebody waits in ``next()``.
    var isAwaited: Bool { state.withLock { $0.waiter != nil } }

    func add(_ conclusion: Conclusion) {
        let waiter = state.withLock { state -> CheckedContinuation<[Conclusion]?, Never>? in
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            state.pending.append(conclusion)
            return nil
        }
        waiter?.resume(returning: [conclusion])
    }

    /// What is to be written next; `nil` once closed and empty. For one caller at a time.
    func next() async -> [Conclusion]? {
        await withCheckedContinuation { continuation in
            let batch: [Conclusion]?? = state.withLock { state in
                if !state.pending.isEmpty {
                    defer { state.pending = [] }
                    return .some(state.pending)
                }
                if state.isClosed { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let batch { continuation.resume(returning: batch) }
        }
    }

    /// Lets ``next()`` end once everything has been taken.
    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}
