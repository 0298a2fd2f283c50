// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Those who wait for the same thing equally long, so that the first to come is the first to go and one timer serves all.
struct DeadlineQueue<Item> {
    private var items = CircularBuffer<(item: Item, deadline: NIODeadline)>()
    private let patience: TimeAmount

    init(patience: TimeAmount) {
        self.patience = patience
    }

    /// When the first has waited long enough; nil if nobody waits.
    var deadline: NIODeadline? { items.first?.deadline }

    mutating func append(_ item: Item, now: NIODeadline) {
        items.append((item, now + patience))
    }

    /// Takes those out who have waited long enough.
    mutating func removeExpired(now: NIODeadline) -> [Item] {
        removePrefix { $0.deadline <= now }
    }

    /// Takes the first ones out, as far as they are `done`.
    mutating func removeFirst(while done: (Item) -> Bool) {
        _ = removePrefix { done($0.item) }
    }

    mutating func removeAll() -> [Item] {
        removePrefix { _ in true }
    }

    private mutating func removePrefix(while leaves: ((item: Item, deadline: NIODeadline)) -> Bool) -> [Item] {
        var removed: [Item] = []
        while let first = items.first, leaves(first) { removed.append(items.removeFirst().item) }
        return removed
    }
}
