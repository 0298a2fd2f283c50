// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A thread on which a worker claims, settles, limits and stops. No code of a user's runs there, so nothing keeps it busy.
///
/// A worker has one of its own unless its broker lends one, see ``ThreadLendingBroker``.
package protocol ControlExecutor: TaskExecutor {
    /// Sleeps on time, however busy the bodies are: the timers of `Task.sleep` fire on Swift's pool, and so do not.
    /// - Throws: `CancellationError` as soon as the calling task is cancelled.
    func sleep(until due: ContinuousClock.Instant) async throws
}

extension ControlExecutor {
    package func sleep(for duration: Duration) async throws {
        try await sleep(until: .now + duration)
    }
}
