// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Messages in line; joining and leaving cost the same however long the line is.
struct WaitingLine {
    /// The front part in reverse: its last element is next.
    private var front: [OutgoingMessage] = []
    /// What follows: its last element came last.
    private var back: [OutgoingMessage] = []

    var count: Int { front.count + back.count }
    var isEmpty: Bool { front.isEmpty && back.isEmpty }
    var next: OutgoingMessage? { front.last ?? back.first }

    mutating func append(_ message: OutgoingMessage) {
        back.append(message)
    }

    mutating func prepend(_ message: OutgoingMessage) {
        front.append(message)
    }

    mutating func popNext() -> OutgoingMessage? {
        if front.isEmpty {
            front = back.reversed()
            back = []
        }
        return front.popLast()
    }
}
