// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What a transaction has changed that others wait for: told after its commit.
struct News: Sendable, Hashable {
    /// Queues in which messages wait that did not before.
    var work: Set<String> = []
    /// The earliest time for which a message was delayed.
    var due: Date?
    /// Whether statuses were stored.
    var hasStatuses = false
    /// Whether revocations or paused queues were changed.
    var hasOrders = false
    /// Whether schedules were changed.
    var hasSchedules = false

    /// Whether other processes may wait for any of it.
    var isWorthTelling: Bool { self != News() }
}
