// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One of the lists that a queue's messages wait in, and where they lie while this process holds them.
struct WaitingList: Sendable, Hashable {
    let queue: String
    /// The list's key.
    let key: String
    /// The key of the list that its messages go back to: this one or, of a list of what is due, the queue's own.
    let place: String
    /// The key of the list of this process that its messages move to.
    let leased: String

    init(queue: String, key: String, place: String? = nil, leased: String) {
        self.queue = queue
        self.key = key
        self.place = place ?? key
        self.leased = leased
    }
}
