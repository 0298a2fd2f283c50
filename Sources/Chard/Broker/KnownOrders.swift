// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What the operator has ordered, as one process knows it.
package struct KnownOrders: Sendable, Hashable {
    /// The number of the last change that is in here; 0 where nothing was ever ordered.
    package var number = 0
    /// The ids of revoked tasks.
    package var revoked: Set<String> = []
    /// The queues that nobody may take from.
    package var paused: Set<String> = []

    package init() {}
}
