// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What holds for a whole app: names, lifetimes, limits and the source of time.
public struct Settings: Sendable {
    /// Where a task without queue or route goes. Celery's name: `celery`.
    public var defaultQueue = "celery"
    /// How long results are kept. Celery's default: a day.
    public var resultExpires: Duration = .seconds(86_400)
    /// What a worker accepts of one message.
    public var limits = MessageLimits.default
    /// Whether argument texts for logs, events and Flower are written into messages.
    public var describesArguments = true
    /// How many messages are kept in memory while the broker is away; 0 makes an enqueue fail after its deadline instead.
    /// What is kept is lost with the process.
    public var sendBuffer = 0
    /// The present time. Tests set a clock of their own.
    public var now: @Sendable () -> Date = { Date() }

    /// Makes the default settings.
    public init() {}
}
