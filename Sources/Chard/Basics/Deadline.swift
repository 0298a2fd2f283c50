// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Limits how long one waits for something, by a timer that bodies which keep Swift's pool busy do not hold up.
package enum Deadline {
    private static let timers = DispatchQueue(label: "chard.deadlines")

    /// What `work` comes to, on `executor`; `nil` where that takes longer than `patience`: then it is cancelled, and not waited for.
    package static func result<Value: Sendable>(
        within patience: Duration, on executor: any TaskExecutor, _ work: @escaping @Sendable () async throws -> Value
    ) async -> Result<Value, any Error>? {
        let answer = FirstAnswer<Result<Value, any Error>?, Never>()
        let task = Task(executorPreference: executor) {
            do {
                let value = try await work()
                answer.give(.success(.success(value)))
            } catch {
                answer.give(.success(.failure(error)))
            }
        }
        timers.asyncAfter(deadline: .now() + patience.seconds) {
            if answer.give(.success(nil)) { task.cancel() }
        }
        return await withCheckedContinuation { continuation in
            answer.whenGiven { continuation.resume(with: $0) }
        }
    }
}
