// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What an enqueue came to: the messages that were sent, as they were sent, and what became of each.
public struct Enqueued: Sendable {
    /// The messages that were sent.
    public private(set) var messages: [TaskMessage]
    /// What became of each message, in the same order.
    public private(set) var placements: [Placement]

    /// Which of the messages given to middleware were left out, and by which.
    private(set) var drops: [Drop] = []
    /// What came of a tick of a schedule, where the messages are its.
    var receipt: TickReceipt?

    struct Drop: Sendable {
        let deliveryTag: String
        let middleware: String
    }

    /// Nothing was sent: for middleware that leaves all messages out.
    public init() {
        messages = []
        placements = []
    }

    /// Messages to all of which the same has happened: for trying middleware out without a broker.
    public init(_ messages: [TaskMessage], placement: Placement) {
        self.messages = messages
        placements = Array(repeating: placement, count: messages.count)
    }

    init(_ messages: [TaskMessage], _ placements: [Placement]) {
        self.messages = messages
        self.placements = placements
    }

    /// Adds what else was sent: for middleware that goes on more than once.
    public mutating func append(_ other: Enqueued) {
        messages += other.messages
        placements += other.placements
        drops += other.drops
        receipt = other.receipt ?? receipt
    }

    /// What became of one message; `nil` if its broker has not said so.
    func placement(at place: Int) -> Placement? {
        placements.indices.contains(place) ? placements[place] : nil
    }

    /// How a message that was given to the outermost middleware was left out.
    func drop(of message: TaskMessage) -> MessageDropped {
        let drop = drops.first { $0.deliveryTag == message.properties.deliveryTag }
        return MessageDropped(id: message.id, task: message.task, middleware: drop?.middleware ?? "")
    }

    /// Notes which of the messages that `middleware` was given did not come out of it.
    mutating func noteDrops(of given: [TaskMessage], by middleware: any Middleware) {
        var isWhole = messages.count == given.count
        for index in given.indices where isWhole {
            isWhole = messages[index].properties.deliveryTag == given[index].properties.deliveryTag
        }
        guard !isWhole else { return }
        let known = Set(messages.map(\.properties.deliveryTag) + drops.map(\.deliveryTag))
        let name = "\(type(of: middleware))"
        for message in given where !known.contains(message.properties.deliveryTag) {
            drops.append(Drop(deliveryTag: message.properties.deliveryTag, middleware: name))
        }
    }
}
