// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What was seen, in order, told from anywhere.
final class Tally<Element: Sendable>: Sendable {
    private let seen = Mutex<[Element]>([])

    var all: [Element] { seen.withLock { $0 } }
    var count: Int { seen.withLock { $0.count } }

    func add(_ elements: some Sequence<Element> & Sendable) {
        seen.withLock { $0 += elements }
    }
}
