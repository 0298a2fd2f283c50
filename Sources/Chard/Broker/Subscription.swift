// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What a consumer watches, and what it tells the others about itself.
public struct Subscription: Sendable {
    /// The queues, served round robin, priorities within each.
    public var queues: [String]
    /// The worker's name, unique among those that live: `<program>@<host>`.
    public var node: String
    /// How many tasks the process runs at once.
    public var concurrency: Int
    /// When the process started.
    public var startedAt: Date
    /// Of messages with more bytes than this, a broker may hand out an excerpt; see ``Delivery/excerptOf``.
    public var messageLimit: Int
    /// How long the failures of tasks are kept that were lost too often.
    public var statusLifetimes: StatusLifetimes
    /// What the process is doing, asked at each heartbeat, on a thread that no task can block.
    public var vitals: @Sendable () -> Vitals
    /// Told the ids of tasks that are to be cancelled although they run.
    public var onTerminate: @Sendable (Set<String>) -> Void
    /// Told the statuses of tasks that were lost too often and put aside by this consumer's looking after others. The broker
    /// has stored them; where results are kept elsewhere they belong there, too. Must not block.
    public var onBuried: @Sendable ([StatusRecord]) -> Void

    /// Makes a subscription.
    public init(
        queues: [String], node: String, concurrency: Int, startedAt: Date,
        messageLimit: Int = MessageLimits.default.messageBytes, statusLifetimes: StatusLifetimes = .default,
        vitals: @escaping @Sendable () -> Vitals = { Vitals() },
        onTerminate: @escaping @Sendable (Set<String>) -> Void = { _ in },
        onBuried: @escaping @Sendable ([StatusRecord]) -> Void = { _ in }
    ) {
        self.queues = queues
        self.node = node
        self.concurrency = concurrency
        self.startedAt = startedAt
        self.messageLimit = messageLimit
        self.statusLifetimes = statusLifetimes
        self.vitals = vitals
        self.onTerminate = onTerminate
        self.onBuried = onBuried
    }
}

/// The live figures of one worker process.
public struct Vitals: Sendable, Hashable, Codable {
    /// One task that runs now.
    public struct Running: Sendable, Hashable, Codable {
        /// The task's id.
        public var id: String
        /// The task's name.
        public var task: String
        /// When this run started, in seconds since 1970.
        public var since: Double

        /// Makes an entry.
        public init(id: String, task: String, since: Double) {
            self.id = id
            self.task = task
            self.since = since
        }
    }

    /// What runs, oldest first.
    public var running: [Running]
    /// How many deliveries were settled since the start.
    public var done: Int
    /// How many of them failed.
    public var failed: Int
    /// How many tasks it runs at once, where that was changed since it holds messages.
    public var concurrency: Int?
    /// The version of Chard that it runs; `nil` where it is too old to say so.
    public var version: String?
    /// By how many seconds its machine's clock is behind the broker's, where that is more than one.
    public var clockOffset: Int?
    /// For how many seconds its claims have had no answer, where that is too long.
    public var stalled: Int?

    /// Makes figures of an idle process.
    public init(running: [Running] = [], done: Int = 0, failed: Int = 0, concurrency: Int? = nil) {
        self.running = running
        self.done = done
        self.failed = failed
        self.concurrency = concurrency
    }
}
