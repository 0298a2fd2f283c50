// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What ``ScheduleStore/watchSchedules(_:)`` returns: the watching ends with its life.
package final class ScheduleWatch: Sendable {
    private let end: @Sendable () -> Void

    package init(endingBy end: @escaping @Sendable () -> Void) {
        self.end = end
    }

    deinit { end() }
}
