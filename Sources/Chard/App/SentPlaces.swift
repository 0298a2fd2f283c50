// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where the messages of an enqueue's caller are among those that were sent: in their own places, as long as no middleware
/// has changed that.
struct SentPlaces {
    let enqueued: Enqueued
    private lazy var byTag = Dictionary(
        enqueued.messages.enumerated().map { ($1.properties.deliveryTag, $0) }, uniquingKeysWith: { first, _ in first })

    init(in enqueued: Enqueued) {
        self.enqueued = enqueued
    }

    /// The place of the message with this tag, which was given at `index`; `nil` if it was left out.
    mutating func place(of deliveryTag: String, givenAt index: Int) -> Int? {
        if index < enqueued.messages.count, enqueued.messages[index].properties.deliveryTag == deliveryTag {
            return index
        }
        return byTag[deliveryTag]
    }
}
