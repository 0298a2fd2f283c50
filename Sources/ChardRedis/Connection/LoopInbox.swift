// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// Where any thread leaves things for an event loop: many arrivals share one wake-up, and so one flush.
final class LoopInbox<Item: Sendable>: Sendable {
    private let items = Mutex<[Item]>([])

    /// Leaves an item; true if the box was empty, and so somebody has to be told to empty it.
    func leave(_ item: Item) -> Bool {
        items.withLock { items in
            items.append(item)
            return items.count == 1
        }
    }

    /// Takes everything, in the order of arrival.
    func empty() -> [Item] {
        items.withLock { items in
            let taken = items
            items = []
            return taken
        }
    }
}
