// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Why a run was cancelled. The first reason stands.
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

    private let state = Mutex<Reason?>(nil)

    var reason: Reason? { state.withLock { $0 } }

    /// Returns whether this reason is the first.
    func cancel(_ reason: Reason) -> Bool {
        state.withLock { state in
            guard state == nil else { return false }
            state = reason
            return true
        }
    }
}
