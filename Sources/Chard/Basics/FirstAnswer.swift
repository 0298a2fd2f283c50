// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What one waits for and several may give: a value, an error, the end of one's patience. The first counts, and is told once.
package final class FirstAnswer<Value: Sendable, Failure: Error>: Sendable {
    package typealias Listener = @Sendable (Result<Value, Failure>) -> Void

    @usableFromInline
    enum State {
        case open
        case awaited(Listener)
        /// The answer is kept only for a listener that has yet to come.
        case given(Result<Value, Failure>?)
    }

    @usableFromInline
    let state = Mutex(State.open)

    @inlinable
    package init() {}

    /// Gives the answer; false if there was one before.
    @inlinable
    @discardableResult
    package func give(_ answer: Result<Value, Failure>) -> Bool {
        let before = state.withLock { state in
            let before = state
            switch before {
            case .open: state = .given(answer)
            case .awaited: state = .given(nil)
            case .given: break
            }
            return before
        }
        switch before {
        case .open: return true
        case .given: return false
        case .awaited(let listener):
            listener(answer)
            return true
        }
    }

    /// Sets who is told; at once if there is an answer already.
    @inlinable
    package func whenGiven(_ listener: @escaping Listener) {
        let known: Result<Value, Failure>? = state.withLock { state in
            if case .given(let answer) = state { return answer }
            state = .awaited(listener)
            return nil
        }
        if let known { listener(known) }
    }

    @inlinable
    package var isGiven: Bool {
        state.withLock { if case .given = $0 { true } else { false } }
    }
}

extension FirstAnswer where Failure == any Error {
    /// Waits for the answer. For one caller; throws a `CancellationError` as soon as that one is cancelled.
    func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                whenGiven { continuation.resume(with: $0) }
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
