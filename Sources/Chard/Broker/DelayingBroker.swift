// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A message that waits in the broker for its time.
public struct DelayedTask: Sendable, Hashable {
    /// The name by which the broker keeps it: the task's id, or that with a number behind it where several share one.
    public var name: String
    /// The queue that it will go to.
    public var queue: String
    /// When that will be.
    public var dueAt: Date
    /// The step of its priority.
    public var priority: Int
    /// The raw message.
    public var payload: [UInt8]

    /// Makes an entry.
    public init(name: String, queue: String, dueAt: Date, priority: Int, payload: [UInt8]) {
        self.name = name
        self.queue = queue
        self.dueAt = dueAt
        self.priority = priority
        self.payload = payload
    }

    /// The message, if it can be read.
    public var message: TaskMessage? { try? TaskMessage(decoding: payload) }
}

extension DelayedTask: CustomStringConvertible {
    /// What waits until when: `shop.add[b26a3a9e] of celery, due at 2026-11-21T20:31:53.624442+00:00`.
    public var description: String {
        "\(message?.task ?? "?")[\(name)] of \(queue), due at \(Timestamp.text(for: dueAt)) (\(payload.count) bytes)"
    }
}

/// A broker whose delayed messages can be looked at and changed.
public protocol DelayingBroker: Broker {
    /// What waits for its time, in one queue or in all, the earliest first, at most `limit`.
    func delayedTasks(in queue: String?, limit: Int) async throws -> [DelayedTask]

    /// One delayed message, or `nil` if there is none of that name: it is unknown, or its time has come.
    func delayedTask(_ name: String) async throws -> DelayedTask?

    /// Takes a delayed message away and writes effects, in one step, if it is still as it is here. Pushed again for another
    /// time it keeps its name; put back, it goes to the front of its queue. Returns whether that was done.
    func change(_ task: DelayedTask, _ effects: Effects) async throws -> Bool
}
