// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging

extension ResultStore {
    /// Connects, again and again while the server is merely away, for at most `patience` where there is one.
    ///
    /// What cannot be reached is said at once, then now and then.
    /// - Parameter goesOn: Whether to wait any longer.
    /// - Returns: Whether it is reached: not if it is not waited for any longer.
    func connect(
        within patience: Duration?, logger: Logger, while goesOn: () -> Bool,
        onTrouble: (BrokerError) -> Void = { _ in },
        sleep: (Duration) async throws -> Void
    ) async throws -> Bool {
        let start = ContinuousClock.now
        var reminder = Reminder()
        while goesOn() {
            do {
                try await connect()
                if reminder.hasSaid { logger.notice("the broker is there", metadata: ["broker": "\(location)"]) }
                return true
            } catch let error as BrokerError where error.isRetryable {
                if let patience, .now - start >= patience { throw error }
                onTrouble(error)
                if reminder.isDue() {
                    logger.warning("the broker is away; waiting for it", metadata: ["error": "\(error)"])
                }
                try await sleep(.milliseconds(500))
            }
        }
        return false
    }
}
