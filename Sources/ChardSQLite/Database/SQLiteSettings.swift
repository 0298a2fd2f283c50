// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The settings of a SQLite broker. The defaults keep the promises of the documentation; change them together.
public struct SQLiteSettings: Sendable {
    /// When a write counts as made.
    public enum Synchronous: String, Sendable, Hashable {
        /// When it is on the disk: a power failure loses nothing that was acknowledged.
        case full
        /// When the system has it: a killed process loses nothing, a power failure or a crash of the system may lose what
        /// was acknowledged in the last moments. Several times as fast where much is sent or settled one by one.
        case normal
    }

    /// What sending and settling wait for.
    public var synchronous = Synchronous.full
    /// How long the messages of a process that hangs stay its own. Those of one that has ended are given back at once.
    public var lease: Duration = .seconds(12)
    /// How often a process says that it lives.
    public var heartbeat: Duration = .seconds(3)
    /// How often each worker's process looks for lost ones.
    public var recovery: Duration = .seconds(2)
    /// How long a call waits for another program that has locked the file, before it fails.
    public var busyTimeout: Duration = .seconds(5)
    /// After so many losses a message goes to the dead letters.
    public var maximumLosses = 3
    /// How many dead letters are kept of each queue.
    public var deadLetterLimit = 10_000
    /// How long dead letters are kept.
    public var deadLetterTimeToLive: Duration = .seconds(30 * 86_400)
    /// How much is kept of the history of tasks.
    public var history = HistoryLimits.usual
    /// How large the file may become, in bytes; `nil` where only the disk limits it. A full file takes no more tasks, and
    /// loses none.
    public var maximumSize: Int?

    /// How often an idle process looks for changes that it was not told of: the one that made them may have died before it
    /// could tell.
    package var patrol: Duration = .seconds(1)
    /// How often a process looks for what has expired, to delete it.
    package var tidying: Duration = .seconds(5)

    /// Makes settings of what is nobody's promise; the rest is as it is by default.
    public init(
        synchronous: Synchronous = .full, busyTimeout: Duration = .seconds(5), deadLetterLimit: Int = 10_000,
        deadLetterTimeToLive: Duration = .seconds(30 * 86_400), maximumSize: Int? = nil
    ) {
        self.synchronous = synchronous
        self.busyTimeout = busyTimeout
        self.deadLetterLimit = deadLetterLimit
        self.deadLetterTimeToLive = deadLetterTimeToLive
        self.maximumSize = maximumSize
    }
}
