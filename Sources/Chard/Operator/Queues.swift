// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Operator {
    /// The queues of an app's broker: what is in them, and what may be ordered of them.
    public struct Queues: Sendable {
        let app: Chard

        /// From so many bytes on, of a message only an excerpt is shown, unless one asks for more.
        public static let glance = 64 << 10

        /// The names of all known queues, sorted: cheaper than ``reports()``.
        public func names() async throws -> [String] {
            try await app.broker.with(.inspection).queueNames()
        }

        /// The messages that wait in `queue`, the next one first, at most `limit`. Nothing is taken.
        ///
        /// - Parameters:
        ///   - queue: The queue.
        ///   - first: How many to pass over.
        ///   - limit: How many are given at most.
        ///   - messageLimit: Of a message with more bytes only the beginning and the end are read.
        public func waiting(
            in queue: String, from first: Int = 0, limit: Int = 50, messageLimit: Int = glance
        ) async throws -> [PeekedMessage] {
            try await app.broker.with(.peeking).waitingMessages(
                in: queue, from: first, limit: limit, messageLimit: messageLimit)
        }

        /// The messages of `queue` that workers hold, at most `limit`: by holder, then by priority, what was taken first
        /// foremost. What Python's workers hold is not among them.
        ///
        /// - Parameters:
        ///   - queue: The queue.
        ///   - limit: How many are given at most.
        ///   - messageLimit: Of a message with more bytes only the beginning and the end are read.
        public func leased(
            in queue: String, limit: Int = 50, messageLimit: Int = glance
        ) async throws -> [PeekedMessage] {
            try await app.broker.with(.peeking).leasedMessages(in: queue, limit: limit, messageLimit: messageLimit)
        }

        /// Every known queue with what is in it, by name.
        public func reports() async throws -> [QueueReport] {
            try await app.broker.with(.inspection).queues()
        }

        /// Lets no worker take from `queue` until ``resume(_:)``; what was taken before goes on. Returns whether that is new.
        @discardableResult
        public func pause(_ queue: String) async throws -> Bool {
            try await app.broker.with(.orders).pause(queue)
        }

        /// Lets workers take from `queue` again. Returns whether it was paused.
        @discardableResult
        public func resume(_ queue: String) async throws -> Bool {
            try await app.broker.with(.orders).resume(queue)
        }

        /// Deletes the messages that wait in `queue`, for good, and with `delayed` those that wait for their time. What a
        /// worker holds stays. Returns how many there were.
        @discardableResult
        public func purge(_ queue: String, delayed: Bool = false) async throws -> Int {
            try await app.broker.with(.inspection).purge(queue, delayed: delayed)
        }
    }
}
