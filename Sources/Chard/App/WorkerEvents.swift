// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

extension Chard {
    /// Celery's events from now on, of Python's and of Swift's workers: those of tasks where the workers send them.
    ///
    /// ```swift
    /// for await event in try await app.events() where event.type == "task-failed" { print(event.node, event.details) }
    /// ```
    /// Nobody keeps events: what is published while the connection is lost is missed, and so is what comes faster than it is
    /// read, beyond some ten thousand messages.
    /// - Throws: ``AppError`` where the broker carries none; ``BrokerError`` where it does not let one listen.
    public func events() async throws -> WorkerEvents {
        try await WorkerEvents(broker.with(.events))
    }
}

/// Celery's events, one after the other, for as long as somebody reads them.
public struct WorkerEvents: AsyncSequence, Sendable {
    /// How many messages, of one event or many, may wait to be read: the oldest are left out.
    private static let mostWaiting = 10_000

    private let messages: AsyncStream<[UInt8]>
    private let listener: any Sendable & AnyObject

    init(_ broker: any MailboxBroker) async throws {
        let (messages, inbox) = AsyncStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingNewest(Self.mostWaiting))
        self.messages = messages
        listener = try await broker.events { inbox.yield($0) }
    }

    /// Begins to read.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(messages: messages.makeAsyncIterator(), listener: listener)
    }

    /// Reads the events.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var messages: AsyncStream<[UInt8]>.AsyncIterator
        let listener: any Sendable & AnyObject
        private var events: ArraySlice<WorkerEvent> = []

        init(messages: AsyncStream<[UInt8]>.AsyncIterator, listener: any Sendable & AnyObject) {
            self.messages = messages
            self.listener = listener
        }

        /// The next event; `nil` once the reading task was cancelled.
        public mutating func next() async -> WorkerEvent? {
            while true {
                if let event = events.popFirst() { return event }
                guard let message = await messages.next() else { return nil }
                // What cannot be read is nobody's event.
                if let message = try? KombuMessage(decoding: message) { events = WorkerEvent.read(message)[...] }
            }
        }
    }
}
