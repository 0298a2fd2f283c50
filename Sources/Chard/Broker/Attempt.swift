// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// One attempt at a task that is over, as the history of the task has it.
public struct Attempt: Sendable, Hashable {
    /// How an attempt ended.
    public struct End: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The word that is stored.
        public let rawValue: String

        /// An end of any name, in capitals by custom.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The word that is stored.
        public var description: String { rawValue }

        /// It returned.
        public static let success = End(rawValue: "SUCCESS")
        /// It failed, and the task with it.
        public static let failure = End(rawValue: "FAILURE")
        /// It failed, and another one follows.
        public static let retry = End(rawValue: "RETRY")
        /// It was called off, has expired or was ended by force.
        public static let revoked = End(rawValue: "REVOKED")
        /// It ended without a result.
        public static let ignored = End(rawValue: "IGNORED")
        /// It refused the message.
        public static let rejected = End(rawValue: "REJECTED")
        /// A workflow takes its place.
        public static let replaced = End(rawValue: "REPLACED")
        /// It was sent back to its queue.
        public static let requeued = End(rawValue: "REQUEUED")
        /// The worker was lost while it held the task.
        public static let lost = End(rawValue: "LOST")
        /// The worker ended, and has handed the task back.
        public static let handedBack = End(rawValue: "HANDED_BACK")

        /// Whether the task is over with it, as it should be: all others are kept together, since they are what one looks for.
        public var isGood: Bool { self == .success || self == .ignored || self == .replaced }
    }

    /// The task's id.
    public var id: String
    /// The task's name; empty where it could not be read.
    public var task = ""
    /// The queue.
    public var queue = ""
    /// The worker's node name.
    public var node = ""
    /// How it ended.
    public var end: End
    /// Which attempt it was, from 1.
    public var number = 1
    /// How many runs of it were lost before.
    public var losses = 0
    /// When it started; `nil` where it did not.
    public var startedAt: Date?
    /// When it ended.
    public var endedAt: Date
    /// What went wrong, cut at 500 characters.
    public var error: String?
    /// When the message was sent, as far as it says so.
    public var sentAt: Date?
    /// Before when it was not to start, where the message says so.
    public var dueAt: Date?
    /// The task that sent this one.
    public var parentID: String?
    /// The first task of the workflow, where that is another one.
    public var rootID: String?
    /// The group it is part of.
    public var groupID: String?
    /// The process that sent it.
    public var origin: String?

    /// An attempt of which no more is known than its end.
    public init(id: String, end: End, endedAt: Date) {
        self.id = id
        self.end = end
        self.endedAt = endedAt
    }

    /// How long it took.
    public var duration: Duration? { startedAt.map { .seconds(max(0, endedAt.timeIntervalSince($0))) } }

    /// The end of a delivery whose message may say who it is of.
    package init(_ message: TaskMessage, on queue: String, end: End, endedAt: Date) {
        self.init(id: message.id, end: end, endedAt: endedAt)
        task = message.task
        self.queue = queue
        number = message.retries + 1
        losses = message.losses
        parentID = message.parentID
        rootID = message.rootID == message.id ? nil : message.rootID
        groupID = message.group
        origin = message.origin
        sentAt = message.sentAt
        dueAt = message.eta
    }

    /// How much is kept of an error's text.
    package static let mostError = 500
    /// How much is kept of a name: what came in a message may be of any length.
    static let mostName = 500
}

// MARK: - Stored

extension Attempt {
    /// The compact text under which it is stored: an object of short names, without the id, which it is stored under.
    package func encoded() -> [UInt8] {
        var text = AttemptText(end, at: endedAt)
        text.add(#","t":"#, task)
        text.add(#","q":"#, queue)
        text.add(#","n":"#, node)
        text.add(#","b":"#, startedAt?.milliseconds)
        if number > 1 { text.add(#","r":"#, number) }
        if losses > 0 { text.add(#","l":"#, losses) }
        text.add(#","m":"#, sentAt.map { $0.milliseconds / 1000 })
        text.add(#","d":"#, dueAt?.milliseconds)
        text.add(#","o":"#, origin)
        text.add(#","p":"#, parentID)
        text.add(#","w":"#, rootID)
        text.add(#","g":"#, groupID)
        text.add(#","x":"#, error, upTo: Self.mostError)
        return text.end()
    }

    /// Reads what was stored under an id; `nil` if it is something else.
    package init?(id: String, stored: some Collection<UInt8>) {
        guard let json = try? JSON(parsing: Array(stored)), let end = json["e"]?.string,
            let ended = json["z"]?.integer
        else { return nil }
        func date(_ key: String, _ unit: Double) -> Date? {
            json[key]?.integer.map { Date(timeIntervalSince1970: Double($0) / unit) }
        }
        self.init(
            id: id, end: End(rawValue: end), endedAt: Date(timeIntervalSince1970: Double(ended) / 1000))
        task = json["t"]?.string ?? ""
        queue = json["q"]?.string ?? ""
        node = json["n"]?.string ?? ""
        startedAt = date("b", 1000)
        number = json["r"]?.integer ?? 1
        losses = json["l"]?.integer ?? 0
        sentAt = date("m", 1)
        dueAt = date("d", 1000)
        origin = json["o"]?.string
        parentID = json["p"]?.string
        rootID = json["w"]?.string
        groupID = json["g"]?.string
        error = json["x"]?.string
    }
}

extension Attempt {
    /// The attempt as a JSON object for scripts.
    public var document: JSON {
        func time(_ date: Date?) -> JSON { date.map { .string(Timestamp.text(for: $0)) } ?? .null }
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        return [
            "id": .string(id), "task": .string(task), "queue": .string(queue), "node": .string(node),
            "end": .string(end.rawValue), "attempt": .integer(number), "losses": .integer(losses),
            "started_at": time(startedAt), "ended_at": time(endedAt),
            "seconds": duration.map { .number(($0.seconds * 1000).rounded() / 1000) } ?? .null, "error": text(error),
            "sent_at": time(sentAt), "due_at": time(dueAt), "parent_id": text(parentID), "root_id": text(rootID ?? id),
            "group_id": text(groupID),
            "origin": text(origin),
        ]
    }
}
