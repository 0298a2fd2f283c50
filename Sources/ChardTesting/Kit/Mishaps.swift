// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization

/// What is to go wrong in coming runs. As middleware it stands next to the bodies, so that all other middleware sees it
/// happen.
final class Mishaps: Middleware {
    private struct State {
        var errors: [String: [any Error]] = [:]
        var losses: [String: Int] = [:]
    }

    private let state = Mutex(State())

    func fail(_ task: String, with error: any Error, times: Int) {
        state.withLock { $0.errors[task, default: []] += Array(repeating: error, count: times) }
    }

    func loseWorker(during task: String) {
        state.withLock { $0.losses[task, default: 0] += 1 }
    }

    /// Whether the worker is to be lost during this run of a task; asked once for each.
    func takesWorker(of task: String) -> Bool {
        state.withLock { state in
            guard let count = state.losses[task], count > 0 else { return false }
            state.losses[task] = count - 1
            return true
        }
    }

    func run(
        _ context: TaskContext, next: @Sendable (TaskContext) async throws -> RunResult
    ) async throws -> RunResult {
        let error = state.withLock { state -> (any Error)? in
            guard let errors = state.errors[context.task], !errors.isEmpty else { return nil }
            return state.errors[context.task]?.removeFirst()
        }
        if let error { throw error }
        return try await next(context)
    }
}
