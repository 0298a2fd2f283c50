// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What one caller waits for and several may give: a value, an error, the end of its patience. The first counts.
final class FirstAnswer<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, any Error>)
        case given(Result<Value, any Error>)
    }

    private let state = Mutex(State.open)

    /// Gives the answer, unless there is one.
    func give(_ answer: Result<Value, any Error>) {
        let waiter = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            switch state {
            case .given:
                return nil
            case .open:
                state = .given(answer)
                return nil
            case .awaited(let waiter):
                state = .given(answer)
                return waiter
            }
        }
        waiter?.resume(with: answer)
    }

    /// Waits for the answer. For one caller; throws a `CancellationError` as soon as that one is cancelled.
    func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = state.withLock { state -> Result<Value, any Error>? in
                    if case .given(let answer) = state { return answer }
                    state = .awaited(continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            give(.failure(CancellationError()))
        }
    }

    /// Gives this error after a while. Cancel what is returned once it is not wanted any more.
    ///
    /// - Parameter executor: Whose timer is used; `nil` for that of Swift's pool.
    func fail(
        with error: any Error, after patience: Duration, on executor: (any ControlExecutor)?
    ) -> Task<Void, any Error> {
        Task(executorPreference: executor) { [self] in
            if let executor {
                try await executor.sleep(for: patience)
            } else {
                try await Task.sleep(for: patience)
            }
            give(.failure(error))
        }
    }
}
