// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Who still needs an app and its broker: its workers and beats that run.
final class Attendance: Sendable {
    enum Role: Sendable {
        case worker, beat
    }

    private struct State {
        var workers = 0
        var beats = 0
        var waiters: [CheckedContinuation<Void, Never>] = []

        var isEmpty: Bool { workers == 0 && beats == 0 }

        subscript(role: Role) -> Int {
            get {
                switch role {
                case .worker: workers
                case .beat: beats
                }
            }
            set {
                switch role {
                case .worker: workers = newValue
                case .beat: beats = newValue
                }
            }
        }
    }

    private let state = Mutex(State())

    func enter(_ role: Role) {
        state.withLock { $0[role] += 1 }
    }

    func leave(_ role: Role) {
        let waiters = state.withLock { state in
            state[role] -= 1
            guard state.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Whether one is there now.
    func has(_ role: Role) -> Bool { state.withLock { $0[role] > 0 } }

    /// Waits until nobody is there, also in a task that was cancelled.
    func isOver() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.isEmpty { state.waiters.append(continuation) }
                return state.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }
}
