// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a run and those who look after it tell each other: why it was cancelled, the first reason standing, and whether its task
/// has kept steps.
final class Cancellation: Sendable {
    enum Reason: Sendable, Hashable {
        /// The soft time limit is over.
        case softTimeLimit
        /// The hard time limit is over: the run has been settled without it.
        case timeLimit
        /// The task was revoked while it ran.
        case revoked
        /// The worker ends before the task could.
        case shutdown
        /// Another worker may own the task now.
        case leaseLost
    }

    private struct State {
        var reason: Reason?
        var hasSteps = false
    }

    private let state = Mutex(State())

    var reason: Reason? { state.withLock { $0.reason } }

    /// Whether steps of the task are kept, which are to go with it.
    var hasSteps: Bool { state.withLock { $0.hasSteps } }

    func noteSteps() { state.withLock { $0.hasSteps = true } }

    /// Returns whether this reason is the first.
    func cancel(_ reason: Reason) -> Bool {
        state.withLock { state in
            guard state.reason == nil else { return false }
            state.reason = reason
            return true
        }
    }
}
