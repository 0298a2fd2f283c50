// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a task queue stands on: it takes messages, leases them to consumers and keeps statuses.
///
/// What must hold on every broker: a message is in it until it is settled; a settlement is one atomic
/// step, fenced by the lease; a lost process's messages are leased again within 20 seconds at the
/// defaults, each loss counted in the message; nothing on a queue makes a call throw for ever.
public protocol Broker: ResultStore {
    /// Sends messages, each to its queue or, with a due time, to the delayed set: one round trip for all.
    ///
    /// When this returns, every message is in the broker. When it throws, none, some or all may be.
    /// - Returns: What became of each message, in the same order.
    @discardableResult
    func send(_ messages: [OutgoingMessage]) async throws -> [Placement]

    /// Opens a hold on the broker under a fresh identity.
    func consumer(for subscription: Subscription) async throws -> any Consumer
}

/// Where statuses are kept and published.
public protocol ResultStore: Sendable {
    /// Where this is, without its secrets: what a banner or a log line may show.
    var location: String { get }

    /// Makes sure that the server answers, so that a wrong password is said at the start.
    func connect() async throws

    /// Stores and publishes statuses. A stored SUCCESS is overwritten only by a SUCCESS.
    func store(_ statuses: [StatusRecord]) async throws

    /// The stored status, or `nil` where there is none: unknown, not started, or forgotten after its time.
    func status(of id: String) async throws -> TaskStatus?

    /// The stored status, then each one that is stored from now on, pushed rather than polled.
    ///
    /// The stream ends only with its consumer, or with an error when the store is closed.
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error>

    /// Deletes the stored status. Returns whether there was one.
    @discardableResult
    func forget(_ id: String) async throws -> Bool

    /// Closes connections. Calls under way fail with ``BrokerError``.
    func shutdown() async
}
