// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A message that waits in the broker for its time.
public struct ScheduledTask: Sendable, Hashable {
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

/// What becomes of a scheduled message.
public enum ScheduledChange: Sendable {
    /// It is deleted, and the status stored, if there is one.
    case cancel(StatusRecord?)
    /// It waits, in this form, until another time.
    case move(to: Date, payload: [UInt8])
    /// It goes, in this form, to the front of its queue.
    case run(payload: [UInt8])
}

/// A broker whose scheduled messages can be looked at and changed.
public protocol SchedulingBroker: Broker {
    /// What waits for its time, in one queue or in all, the earliest first, at most `limit`.
    func scheduledTasks(in queue: String?, limit: Int) async throws -> [ScheduledTask]

    /// One scheduled message, or `nil` if there is none of that name: it is unknown, or its time has come.
    func scheduledTask(_ name: String) async throws -> ScheduledTask?

    /// Changes a scheduled message in one step, if it is still as it is here. Returns whether that was done.
    func change(_ task: ScheduledTask, _ change: ScheduledChange) async throws -> Bool
}

/// The tasks in an app's broker that wait for their time.
public struct ScheduledTasks: Sendable {
    let app: Chard

    private var broker: any SchedulingBroker {
        get throws {
            let broker = try app.broker
            guard let scheduling = broker as? any SchedulingBroker else {
                throw AppError("what is scheduled at \(broker.location) cannot be looked at")
            }
            return scheduling
        }
    }

    /// What waits for its time, in one queue or in all, the earliest first.
    public func list(in queue: String? = nil, limit: Int = 50) async throws -> [ScheduledTask] {
        try await broker.scheduledTasks(in: queue, limit: limit)
    }

    /// One scheduled task, or `nil` if none of that id waits for its time.
    public func find(_ id: String) async throws -> ScheduledTask? {
        try await broker.scheduledTask(id)
    }

    /// Deletes a scheduled task, with the state REVOKED. Returns whether it was there.
    ///
    /// Unlike ``Chard/revoke(_:terminating:timeToLive:)`` this says nothing about other messages of the same id.
    @discardableResult
    public func cancel(_ id: String) async throws -> Bool {
        try await change(id) { [now = app.settings.now()] task in
            guard let message = task.message, message.ignoresResult != true else { return .cancel(nil) }
            return .cancel(StatusRecord.revoked(message.id, at: now))
        }
    }

    /// Moves a scheduled task to another time. Returns whether it was there.
    @discardableResult
    public func move(_ id: String, to date: Date) async throws -> Bool {
        try await change(id) { .move(to: date, payload: $0.payload(eta: date)) }
    }

    /// Lets a scheduled task run now, before all that waits in its queue. Returns whether it was there.
    @discardableResult
    public func runNow(_ id: String) async throws -> Bool {
        try await change(id) { .run(payload: $0.payload(eta: nil)) }
    }

    private func change(_ id: String, _ body: (ScheduledTask) -> ScheduledChange) async throws -> Bool {
        let broker = try broker
        while let task = try await broker.scheduledTask(id) {
            if try await broker.change(task, body(task)) { return true }
        }
        return false
    }
}

extension ScheduledTask {
    /// The message with another ETA: workers go by that, too.
    fileprivate func payload(eta: Date?) -> [UInt8] {
        guard var message else { return payload }
        message.eta = eta
        return message.encoded()
    }
}

extension Chard {
    /// The tasks in the broker that wait for their time, to look at and to change.
    public var scheduledTasks: ScheduledTasks { ScheduledTasks(app: self) }
}
