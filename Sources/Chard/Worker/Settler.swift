// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Gathers what ends while a batch is being written, so that batches grow with the load and an idle worker's single
/// settlement leaves at once: no timer, one round trip for as many as there are.
final class Settler: Sendable {
    private struct State {
        var pending: [Conclusion] = []
        /// Refused, and to be tried again.
        var refused: [Conclusion] = []
        var waiter: CheckedContinuation<[Conclusion]?, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Whether somebody waits in ``next()``.
    var isAwaited: Bool { state.withLock { $0.waiter != nil } }

    func add(_ conclusion: consuming Conclusion) {
        // Moved on, since to copy it takes some ten references.
        var left = Optional(conclusion)
        let waiter = state.withLock { state -> CheckedContinuation<[Conclusion]?, Never>? in
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            if let conclusion = left.take() { state.pending.append(conclusion) }
            return nil
        }
        if let conclusion = left.take() { waiter?.resume(returning: [conclusion]) }
    }

    /// Keeps a conclusion that was refused until ``retry()``, or until this is closed. Returns whether it is the first.
    func addRefused(_ conclusion: Conclusion) -> Bool {
        state.withLock { state in
            if state.isClosed { state.pending.append(conclusion) } else { state.refused.append(conclusion) }
            return state.refused.count == 1
        }
    }

    /// What was refused is to be tried again.
    func retry() {
        let (waiter, batch) = state.withLock { Self.takeAll(&$0) }
        waiter?.resume(returning: batch)
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
        let (waiter, batch) = state.withLock { state -> (CheckedContinuation<[Conclusion]?, Never>?, [Conclusion]) in
            state.isClosed = true
            return Self.takeAll(&state)
        }
        waiter?.resume(returning: batch.isEmpty ? nil : batch)
    }

    /// Puts what was refused among the pending, and takes all of them for who waits, if anybody does.
    private static func takeAll(_ state: inout State) -> (CheckedContinuation<[Conclusion]?, Never>?, [Conclusion]) {
        state.pending += state.refused
        state.refused = []
        guard let waiter = state.waiter, state.isClosed || !state.pending.isEmpty else { return (nil, []) }
        defer { state.pending = [] }
        state.waiter = nil
        return (waiter, state.pending)
    }
}
