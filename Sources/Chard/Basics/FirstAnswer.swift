// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What one waits for and several may give: a value, an error, the end of one's patience. The first counts, and is told once.
package final class FirstAnswer<Value: Sendable, Failure: Error>: Sendable {
    package typealias Listener = PendingAnswer<Value, Failure>.Listener

    private let state = Mutex(PendingAnswer<Value, Failure>.open)

    package init() {}

    /// Gives the answer; false if there was one before.
    @discardableResult
    package func give(_ answer: Result<Value, Failure>) -> Bool {
        state.withLock { $0.give(answer) }.tell(answer)
    }

    /// Sets who is told; at once if there is an answer already.
    package func whenGiven(_ listener: @escaping Listener) {
        if let known = state.withLock({ $0.await(listener) }) { listener(known) }
    }

    package var isGiven: Bool { state.withLock { $0.isGiven } }
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
