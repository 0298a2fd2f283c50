// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker that shows its messages without taking them.
///
/// What is seen is how it was at one moment: before the answer has come, a worker may have taken it.
public protocol PeekableBroker: Broker {
    /// The messages that wait in `queue`, the next one first, at most `limit`.
    ///
    /// Of a message with more bytes than `messageLimit` an excerpt is given.
    ///
    /// - Parameters:
    ///   - queue: The queue.
    ///   - first: How many to pass over.
    ///   - limit: How many are given at most.
    ///   - messageLimit: Of how many bytes a message is given whole.
    func waitingMessages(in queue: String, from first: Int, limit: Int, messageLimit: Int) async throws
        -> [PeekedMessage]

    /// The messages of `queue` that processes hold, at most `limit`: by the holders' identities, of each the most urgent
    /// first, among those of one priority what was taken first.
    ///
    /// Of a message with more bytes than `messageLimit` an excerpt is given.
    func leasedMessages(in queue: String, limit: Int, messageLimit: Int) async throws -> [PeekedMessage]
}

extension PeekableBroker {
    /// The messages that wait in `queue`, from the next one on, at most `limit`.
    public func waitingMessages(in queue: String, limit: Int, messageLimit: Int) async throws -> [PeekedMessage] {
        try await waitingMessages(in: queue, from: 0, limit: limit, messageLimit: messageLimit)
    }
}

/// A message in a broker, as somebody sees it who only looks on.
public struct PeekedMessage: Sendable, Hashable {
    /// The queue.
    public var queue: String
    /// The step of its priority: the least value in it, see ``Priority/steps``.
    public var priority: Int
    /// The raw message; only its beginning and end where ``excerptOf`` says so.
    public var payload: [UInt8]
    /// The size in bytes of a message that is not given whole; `nil` for all others.
    public var excerptOf: Int?
    /// The identity of the consumer that holds it, which ``WorkerReport/identity`` names, too; `nil` while it waits.
    public var holder: String?

    /// Makes an entry.
    public init(queue: String, priority: Int, payload: [UInt8], excerptOf: Int? = nil, holder: String? = nil) {
        self.queue = queue
        self.priority = priority
        self.payload = payload
        self.excerptOf = excerptOf
        self.holder = holder
    }

    /// Makes an entry of a message that is at hand whole: of one with more bytes than `limit` an excerpt.
    public init(
        queue: String, priority: Int, whole message: some BidirectionalCollection<UInt8>, limit: Int,
        holder: String? = nil
    ) {
        let isLarge = message.count > limit
        self.init(
            queue: queue, priority: priority,
            payload: isLarge
                ? Array(message.prefix(Self.beginning)) + Array(message.suffix(Self.end)) : Array(message),
            excerptOf: isLarge ? message.count : nil, holder: holder)
    }

    /// How many bytes of its beginning and of its end an excerpt has: a task's id and name are in one of them.
    private static let (beginning, end) = (4_096, 16_384)

    /// The size in bytes.
    public var size: Int { excerptOf ?? payload.count }

    /// The message, where it was given whole and can be read.
    public var message: TaskMessage? {
        excerptOf == nil ? try? TaskMessage(decoding: payload, limits: .held) : nil
    }

    /// The task's id and name, as far as they can be read; of an excerpt, too.
    public var task: (id: String?, name: String?) {
        if let message { return (message.id, message.task) }
        let identity = MessageIdentity(payload)
        return (identity.id, identity.task)
    }
}
