// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker that can be looked into and tidied: an optional power, which the operator's commands ask for.
public protocol InspectableBroker: Broker {
    /// The names of all known queues, sorted; without an implementation of its own, from their reports.
    func queueNames() async throws -> [String]
    /// Every known queue with what is in it, by name.
    func queues() async throws -> [QueueReport]
    /// Deletes the messages that wait in `queue`, and with `delayed` those delayed for it. Leased ones stay.
    func purge(_ queue: String, delayed: Bool) async throws -> Int
    /// The processes that are alive, by node name.
    func workers() async throws -> [WorkerReport]
    /// The dead letters of `queue`, or of all queues, newest first, at most `limit`.
    func deadLetters(in queue: String?, limit: Int) async throws -> [DeadLetter]
    /// The same without the messages, which may be large; without an implementation of its own, by reading them all.
    func deadLetterSummaries(in queue: String?, limit: Int) async throws -> [DeadLetterSummary]
    /// One dead letter, or `nil` if there is none of that name.
    func deadLetter(_ id: String) async throws -> DeadLetter?
    /// Sends a dead letter's message back to its queue and forgets the letter, in one step. Returns whether it was there.
    func requeueDeadLetter(_ id: String) async throws -> Bool
    /// Deletes a dead letter. Returns whether it was there.
    func dropDeadLetter(_ id: String) async throws -> Bool
}

extension InspectableBroker {
    /// Asks for the reports, and leaves all but the names out.
    public func queueNames() async throws -> [String] {
        try await queues().map(\.queue)
    }

    /// Reads the letters, and leaves their messages out.
    public func deadLetterSummaries(in queue: String?, limit: Int) async throws -> [DeadLetterSummary] {
        try await deadLetters(in: queue, limit: limit).map(DeadLetterSummary.init)
    }
}

/// What is in one queue.
public struct QueueReport: Sendable, Hashable, Codable {
    /// The queue.
    public var queue: String
    /// Messages that wait, all priorities together.
    public var waiting: Int
    /// Messages whose time has not come.
    public var delayed: Int
    /// Messages that a process holds.
    public var leased: Int
    /// Dead letters from this queue.
    public var dead: Int
    /// Whether workers are kept from taking of it.
    public var isPaused: Bool
    /// How long the message that is next has existed, in seconds; `nil` where the queue is empty or the message does
    /// not say when it was sent, as Python's do not.
    public var oldestWait: Double?
    /// Why the figures are not all there is: a key of the queue holds something else, and nothing can be sent to it.
    public var trouble: String?
    /// Messages that nobody will take, since their sender goes by other steps of priority. They are not among ``waiting``.
    public var unread: [UnreadMessages]

    /// Makes a report.
    public init(
        queue: String, waiting: Int, delayed: Int, leased: Int, dead: Int, isPaused: Bool = false,
        oldestWait: Double? = nil, trouble: String? = nil, unread: [UnreadMessages] = []
    ) {
        self.queue = queue
        self.waiting = waiting
        self.delayed = delayed
        self.leased = leased
        self.dead = dead
        self.isPaused = isPaused
        self.oldestWait = oldestWait
        self.trouble = trouble
        self.unread = unread
    }
}

/// Messages where no worker of Chard's looks.
public struct UnreadMessages: Sendable, Hashable, Codable {
    /// The list, in words.
    public var list: String
    /// How many there are.
    public var count: Int

    /// Makes it.
    public init(list: String, count: Int) {
        self.list = list
        self.count = count
    }
}

/// A process that is alive.
public struct WorkerReport: Sendable, Hashable, Codable {
    /// The node name.
    public var node: String
    /// The identity of its present hold on the broker.
    public var identity: String
    /// Its process id.
    public var pid: Int
    /// The queues it serves.
    public var queues: [String]
    /// How many tasks it runs at once.
    public var concurrency: Int
    /// When it started, in seconds since 1970.
    public var startedAt: Double
    /// When it was last heard of, in seconds since 1970, by the broker's clock.
    public var seenAt: Double
    /// What it is doing.
    public var vitals: Vitals

    /// Makes a report.
    public init(
        node: String, identity: String, pid: Int, queues: [String], concurrency: Int, startedAt: Double,
        seenAt: Double, vitals: Vitals
    ) {
        self.node = node
        self.identity = identity
        self.pid = pid
        self.queues = queues
        self.concurrency = vitals.concurrency ?? concurrency
        self.startedAt = startedAt
        self.seenAt = seenAt
        self.vitals = vitals
    }
}
