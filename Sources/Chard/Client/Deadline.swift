// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Waits for what `body` returns, for no longer than `limit`.
///
/// The caller goes on as soon as either has come; it does not wait for the other to be cancelled. With an executor both run
/// there, and the caller changes threads but once.
func withDeadline<Value: Sendable>(
    _ limit: Duration?, on executor: (any ControlExecutor)?,
    onTimeout: @Sendable @escaping (Duration) -> any Error,
    _ body: @Sendable @escaping () async throws -> Value
) async throws -> Value {
    guard let limit else { return try await body() }
    let (ends, end) = AsyncThrowingStream<Value, any Error>.makeStream()
    let timer = Task(executorPreference: executor) {
        if let executor {
            try await executor.sleep(for: limit)
        } else {
            try await Task.sleep(for: limit)
        }
        end.finish(throwing: onTimeout(limit))
    }
    let work = Task(executorPreference: executor) {
        do {
            end.yield(try await body())
            end.finish()
        } catch {
            end.finish(throwing: error)
        }
        timer.cancel()
    }
    end.onTermination = { _ in
        work.cancel()
        timer.cancel()
    }
    for try await value in ends { return value }
    throw CancellationError()
}
