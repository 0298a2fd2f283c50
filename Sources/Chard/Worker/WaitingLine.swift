// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Things in line; joining and leaving cost the same however long the line is.
struct WaitingLine<Element> {
    /// The front part in reverse: its last element is next.
    private var front: [Element] = []
    /// What follows: its last element came last.
    private var back: [Element] = []

    var count: Int { front.count + back.count }
    var isEmpty: Bool { front.isEmpty && back.isEmpty }
    var next: Element? { front.last ?? back.first }

    mutating func append(_ element: Element) {
        back.append(element)
    }

    mutating func prepend(_ element: Element) {
        front.append(element)
    }

    mutating func popNext() -> Element? {
        if front.isEmpty {
            front = back.reversed()
            back = []
        }
        return front.popLast()
    }

    /// Empties the line; what was last in it comes first.
    mutating func takeAllReversed() -> [Element] {
        defer {
            front = []
            back = []
        }
        return back.reversed() + front
    }
}

extension WaitingLine: Sendable where Element: Sendable {}
