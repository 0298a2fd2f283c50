// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A message that could not be run, kept raw with its story.
public struct DeadLetter: Sendable, Hashable {
    /// Why a message was put aside: an open set of names.
    public struct Reason: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
        /// The name, as stored.
        public let rawValue: String
        /// Names a reason.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// Names a reason.
        public init(stringLiteral value: String) { rawValue = value }

        /// The bytes are no message of Celery's.
        public static let malformed: Reason = "malformed"
        /// The message is larger, or nested deeper, than the worker's limits allow.
        public static let tooLarge: Reason = "tooLarge"
        /// The body is in a format that is never decoded here, such as pickle or yaml.
        public static let refusedContent: Reason = "refusedContent"
        /// The message is not signed where that is required, or its signature is wrong or by a key that the worker does not know.
        public static let badSignature: Reason = "badSignature"
        /// No task of that name is registered with the worker.
        public static let notRegistered: Reason = "notRegistered"
        /// The arguments do not fit the task's parameters.
        public static let badArguments: Reason = "badArguments"
        /// What is to follow the task, callbacks, the rest of a chain or the body of a chord, cannot be read or done.
        public static let badWorkflow: Reason = "badWorkflow"
        /// The task failed on its last permitted attempt.
        public static let retriesExhausted: Reason = "retriesExhausted"
        /// The task threw ``Reject``.
        public static let rejected: Reason = "rejected"
        /// The processes that ran it were lost, as often as the broker permits.
        public static let workerLost: Reason = "workerLost"
        /// The task has run, and the broker refuses for good what was to be written of its end.
        public static let resultNotStored: Reason = "resultNotStored"
    }

    /// The letter's own name: the task's id where that could be read and was free, else a fresh one.
    public var id: String
    /// The task's id, where it could be read.
    public var taskID: String?
    /// The task's name, where it could be read.
    public var task: String?
    /// The queue the message came from; a requeue sends it back there.
    public var queue: String
    /// Why it was put aside.
    public var reason: Reason
    /// The error in words.
    public var error: String
    /// The last attempt that was started, as ``TaskContext/attempt`` counts them: a run that was lost with its worker and is
    /// repeated is the same attempt. 0 if none was started.
    public var attempts: Int
    /// The worker that put it aside.
    public var worker: String
    /// When it was put aside.
    public var diedAt: Date
    /// The raw message.
    public var payload: [UInt8]

    /// Makes a letter.
    public init(
        id: String, taskID: String?, task: String?, queue: String, reason: Reason, error: String, attempts: Int,
        worker: String, diedAt: Date, payload: [UInt8]
    ) {
        self.id = id
        self.taskID = taskID
        self.task = task
        self.queue = queue
        self.reason = reason
        self.error = error
        self.attempts = attempts
        self.worker = worker
        self.diedAt = diedAt
        self.payload = payload
    }
}

/// A dead letter without its message.
public struct DeadLetterSummary: Sendable, Hashable {
    /// The letter; its payload is empty.
    public var letter: DeadLetter
    /// The size of the message, in bytes.
    public var size: Int

    /// Makes a summary of a letter.
    public init(_ letter: DeadLetter) {
        self.init(letter, size: letter.payload.count)
    }

    /// Makes a summary of a letter whose message has `size` bytes.
    public init(_ letter: DeadLetter, size: Int) {
        self.letter = letter
        self.letter.payload = []
        self.size = size
    }
}

extension DeadLetter: CustomStringConvertible {
    /// What died of what: `shop.add[b26a3a9e] of celery, badArguments: TypeError: ...`.
    public var description: String {
        "\(task ?? "?")[\(id)] of \(queue), \(reason.rawValue): \(error) (\(payload.count) bytes)"
    }
}

extension DeadLetter: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, taskID = "task_id", task, queue, reason, error, attempts, worker, diedAt = "died_at", payload
    }

    /// Reads a letter as ``encode(to:)`` writes it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        taskID = try container.decodeIfPresent(String.self, forKey: .taskID)
        task = try container.decodeIfPresent(String.self, forKey: .task)
        queue = try container.decode(String.self, forKey: .queue)
        reason = Reason(rawValue: try container.decode(String.self, forKey: .reason))
        error = try container.decode(String.self, forKey: .error)
        attempts = try container.decode(Int.self, forKey: .attempts)
        worker = try container.decode(String.self, forKey: .worker)
        diedAt = Date(timeIntervalSince1970: try container.decode(Double.self, forKey: .diedAt))
        guard let payload = Base64.decode(try container.decode(String.self, forKey: .payload)) else {
            throw DecodingError.dataCorruptedError(
                forKey: .payload, in: container, debugDescription: "the payload is not base64")
        }
        self.payload = payload
    }

    /// Writes the letter with its payload as base64 and its time as seconds since 1970.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(taskID, forKey: .taskID)
        try container.encode(task, forKey: .task)
        try container.encode(queue, forKey: .queue)
        try container.encode(reason.rawValue, forKey: .reason)
        try container.encode(error, forKey: .error)
        try container.encode(attempts, forKey: .attempts)
        try container.encode(worker, forKey: .worker)
        try container.encode(diedAt.timeIntervalSince1970, forKey: .diedAt)
        try container.encode(Base64.encode(payload), forKey: .payload)
    }
}
