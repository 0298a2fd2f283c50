// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// One of Celery's events: what a worker or a client, Python's or Swift's, has told of itself or of a task.
public struct WorkerEvent: Sendable, Hashable {
    /// What happened: `worker-heartbeat`, `task-succeeded`; users of Celery may send types of their own.
    public var type: String
    /// The node that tells it.
    public var node: String
    /// When it happened, by that node's clock.
    public var time: Date
    /// The task, where it is about one.
    public var taskID: String?
    /// The whole event, as it travelled.
    public var members: [String: JSON]

    /// Makes an event of its members; `nil` where it names no type.
    public init?(_ json: JSON) {
        guard let members = json.object, let type = members["type"]?.string else { return nil }
        self.type = type
        self.members = members
        node = members["hostname"]?.string ?? ""
        time = Date(timeIntervalSince1970: members["timestamp"]?.number ?? 0)
        taskID = members["uuid"]?.string
    }

    /// What it has besides what every event has.
    public var details: [String: JSON] {
        members.filter { !Self.common.contains($0.key) }
    }

    private static let common: Set = ["type", "hostname", "timestamp", "uuid", "utcoffset", "pid", "clock"]

    /// Reads the events of a message: one, or a list of them. What is none is left out.
    package static func read(_ message: KombuMessage) -> [WorkerEvent] {
        (message.body.array ?? [message.body]).compactMap(WorkerEvent.init)
    }

    /// The exchange that events are sent to.
    package static let exchange = "celeryev"
    /// The keys under which they are sent there.
    package static let routingKeys =
        ["worker.online", "worker.heartbeat", "worker.offline", "task.multi", "task.sent"]
        + ["received", "started", "succeeded", "failed", "rejected", "revoked", "retried", "cancelled"].map {
            "task.\($0)"
        }
}

/// Writes events as JSON text, each behind the other, without a tree between.
struct EventWriter: Sendable {
    private let head: [UInt8]

    /// - Parameter node: Who tells.
    init(node: String) {
        var writer = JSONWriter()
        writer.raw(#"{"hostname":"#)
        writer.string(node)
        writer.raw(#","utcoffset":0.0,"pid":"#)
        writer.integer(Int(ProcessInfo.processInfo.processIdentifier))
        writer.raw(#","clock":"#)
        head = writer.bytes
    }

    /// Appends an event; `rest` appends what only this type has.
    func write(
        _ type: StaticString, at time: Double, clock: Int, to writer: inout JSONWriter,
        _ rest: (inout JSONWriter) -> Void
    ) {
        if !writer.bytes.isEmpty { writer.raw(",") }
        writer.raw(head[...])
        writer.integer(clock)
        writer.raw(#","timestamp":"#)
        writer.number(time)
        writer.raw(#","type":""#)
        writer.raw(type)
        writer.raw(#"""#)
        rest(&writer)
        writer.raw("}")
    }
}

extension JSONWriter {
    mutating func field(_ key: StaticString, _ text: String?) {
        raw(",")
        raw(key)
        if let text { string(text) } else { raw("null") }
    }

    mutating func field(_ key: StaticString, _ number: Int) {
        raw(",")
        raw(key)
        integer(number)
    }

    mutating func field(_ key: StaticString, _ number: Double) {
        raw(",")
        raw(key)
        self.number(number)
    }

    mutating func field(_ key: StaticString, _ value: Bool) {
        raw(",")
        raw(key)
        bool(value)
    }

    /// What task-sent and task-received have to say of a message.
    /// - Parameter texts: Its arguments, where they may be shown: not as its sender has written them, who may hide less.
    mutating func fields(of message: TaskMessage, texts: (positional: String, keywords: String)?) {
        field(#""uuid":"#, message.id)
        field(#""name":"#, message.shadow ?? message.task)
        field(#""args":"#, texts?.positional ?? "...")
        field(#""kwargs":"#, texts?.keywords ?? "...")
        field(#""root_id":"#, message.rootID)
        field(#""parent_id":"#, message.parentID)
        field(#""retries":"#, message.retries)
        field(#""eta":"#, message.eta.map(Timestamp.text(for:)))
        field(#""expires":"#, message.expires.map(Timestamp.text(for:)))
    }
}
