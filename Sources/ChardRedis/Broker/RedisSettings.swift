// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What a Redis broker goes by. The defaults keep the promises of the documentation; change them together.
public struct RedisSettings: Sendable {
    /// Stands before every key and channel: kombu's `global_keyprefix`.
    public var keyPrefix = ""
    /// How long a process's messages stay its own without a heartbeat, by the server's clock.
    public var lease: Duration = .seconds(12)
    /// How often a process renews its lease.
    public var heartbeat: Duration = .seconds(3)
    /// How often each process looks for lost ones.
    public var recovery: Duration = .seconds(2)
    /// How long one blocking pop waits; a dead connection is noticed a few seconds after that.
    public var blockingPop: Duration = .seconds(6)
    /// After so many losses a message goes to the dead letters.
    public var maximumLosses = 3
    /// How many dead letters are kept of each queue.
    public var deadLetterLimit = 10_000
    /// How long dead letters are kept.
    public var deadLetterTimeToLive: Duration = .seconds(30 * 86_400)
    /// How long a call waits for a connection before it fails.
    public var commandTimeout: Duration = .seconds(5)

    /// Makes the default settings.
    public init() {}
}
