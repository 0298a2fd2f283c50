// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging

/// Storing a status although its store is away for a moment: again and again, until it is back.
enum Patience {
    private static let pause: Duration = .milliseconds(500)

    /// Does what stores these statuses, again for as long as the store is merely away and `goesOn` says so.
    /// - Throws: What `store` throws where waiting does not help, or is over; `CancellationError`.
    static func store<Answer>(
        _ ids: @autoclosure () -> [String], logger: Logger, while goesOn: () -> Bool = { true },
        sleep: (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        _ store: () async throws -> Answer
    ) async throws -> Answer {
        var reminder = Reminder()
        while true {
            do {
                return try await store()
            } catch let error as BrokerError where error.isRetryable && goesOn() {
                if reminder.isDue() {
                    let ids = ids()
                    logger.warning(
                        "statuses cannot be stored; trying again",
                        metadata: [
                            LogKey.count: "\(ids.count)", LogKey.taskIDs: "\(LogKey.list(ids))",
                            LogKey.error: "\(error)",
                        ])
                }
                try await sleep(pause)
            }
        }
    }
}
