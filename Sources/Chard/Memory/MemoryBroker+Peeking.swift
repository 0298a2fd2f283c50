// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension MemoryBroker: PeekableBroker {
    /// What waits in a queue.
    public func waitingMessages(
        in queue: String, from first: Int, limit: Int, messageLimit: Int
    ) async throws -> [PeekedMessage] {
        change { state, _ in Array(state.waitingMessages(in: queue).dropFirst(first).prefix(max(0, limit))) }
            .map { PeekedMessage($0, limit: messageLimit) }
    }

    /// What is held of a queue.
    public func leasedMessages(in queue: String, limit: Int, messageLimit: Int) async throws -> [PeekedMessage] {
        change { state, _ in state.leasedMessages(in: queue).prefix(max(0, limit)) }
            .map { PeekedMessage($0.message, limit: messageLimit, holder: $0.holder) }
    }
}

extension PeekedMessage {
    fileprivate init(_ message: OutgoingMessage, limit: Int, holder: String? = nil) {
        self.init(
            queue: message.queue, priority: Priority.steps[Priority.step(for: message.priority)],
            whole: message.payload, limit: limit, holder: holder)
    }
}
