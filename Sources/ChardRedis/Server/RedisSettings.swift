// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What a Redis broker goes by. The defaults keep the promises of the documentation; change them together.
public struct RedisSettings: Sendable {
    /// Stands before every key and channel: kombu's `global_keyprefix`.
    public var keyPrefix = ""
    /// The steps of priority: kombu's `priority_steps` and `sep`. A URL that says them overrules this.
    public var priorities = PrioritySteps.usual
    /// How long a process's messages stay its own without a heartbeat, by the server's clock.
    public var lease: Duration = .seconds(12)
    /// How often at least a process renews its lease.
    public var heartbeat: Duration = .seconds(3)
    /// How often the process on duty looks for lost ones.
    public var recovery: Duration = .seconds(2)
    /// How long one blocking pop waits; a dead connection is noticed a few seconds after that.
    public var blockingPop: Duration = .seconds(6)
    /// After so many losses a message goes to the dead letters.
    public var maximumLosses = 3
    /// How many dead letters are kept of each queue.
    public var deadLetterLimit = 10_000
    /// How long dead letters are kept.
    public var deadLetterTimeToLive: Duration = .seconds(30 * 86_400)
    /// How much is kept of the history of tasks.
    public var history = HistoryLimits.usual
    /// How long a call waits for a connection before it fails.
    public var commandTimeout: Duration = .seconds(5)

    /// Makes settings of what is nobody's promise; the rest is as it is by default.
    public init(
        keyPrefix: String = "", priorities: PrioritySteps = .usual, deadLetterLimit: Int = 10_000,
        deadLetterTimeToLive: Duration = .seconds(30 * 86_400),
        commandTimeout: Duration = .seconds(5)
    ) {
        self.keyPrefix = keyPrefix
        self.priorities = priorities
        self.deadLetterLimit = deadLetterLimit
        self.deadLetterTimeToLive = deadLetterTimeToLive
        self.commandTimeout = commandTimeout
    }

    /// How long one of the blocking pops waits, of a process that serves so many queues: with many each waits for longer, so that
    /// all together are no more than a few commands a second; and not all for equally long.
    func popLength(_ index: Int, of queues: Int) -> Duration {
        guard queues > 12 else { return blockingPop }
        return blockingPop * (Double(queues) / 12) * (0.5 + Double(index) / Double(queues))
    }

    /// The longest of them.
    func longestPop(of queues: Int) -> Duration { popLength(queues, of: queues) }
}
