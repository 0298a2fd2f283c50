// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One process's hold on a broker: an identity under which messages are leased.
///
/// The consumer renews its lease by itself, on a thread or event loop that no task can block. When
/// the lease may have lapsed, or the broker cannot be reached for so long that others may think so,
/// ``leaseLost()`` returns and the consumer is of no use any more: its holder cancels what runs, waits
/// a moment for that to end, closes it, and opens a new one. So an identity never outlives a doubt about it.
public protocol Consumer: Sendable {
    /// The identity, unique for each consumer ever opened.
    var identity: String { get }

    /// What to add to this process's clock, in seconds, to get the broker's: times are compared by the broker's.
    var clockOffset: Double { get }

    /// By which the losses counted in messages are believed: the same for all consumers of a broker, and unknown to those who
    /// only send.
    var seal: LossSeal { get }

    /// Whether the task was revoked, as far as this consumer knows: no older knowledge than its last claim's.
    func isRevoked(_ id: String) -> Bool

    /// Notes, before it starts, a run of a task that was lost so often that the next loss is its last.
    ///
    /// Of such tasks only those noted here are counted when the process is lost: a task that brings processes down must
    /// take no innocent one with it.
    func noteLastChance(of id: String) async throws

    /// For how long it has got no answer to its claims although its broker can be reached, where that is so long that something is
    /// wrong; zero otherwise. Without an implementation of its own, zero.
    var stalled: Duration { get }

    /// Moves up to `count` messages into this consumer's hold, waiting until there is at least one.
    ///
    /// Returns an empty array when ``wake()`` was called or the calling task was cancelled. Messages
    /// already moved are always returned, never dropped.
    /// - Throws: ``BrokerError`` with code `leaseLost` when the consumer is of no use any more.
    func claim(upTo count: Int) async throws -> [Delivery]

    /// Makes a waiting ``claim(upTo:)`` return.
    func wake()

    /// Carries out the settlements, each one atomic and fenced, and answers in the same order.
    ///
    /// Tries again through a lost connection for as long as the lease holds.
    func settle(_ settlements: [Settlement]) async throws -> [Receipt]

    /// Writes what a run tells on the way, statuses (STARTED, PROGRESS) and records, unless the lease is gone.
    /// - Returns: Whether it was written.
    @discardableResult
    func report(_ effects: Effects) async throws -> Bool

    /// Returns when the lease is gone or in doubt, or when the consumer was closed.
    func leaseLost() async

    /// Whether nothing waits in the subscription's queues. What is delayed, or held by others, is not asked about.
    func isDrained() async throws -> Bool

    /// Hands back to the front of their queues, in order and uncounted, all messages still held, and gives up the
    /// identity.
    func close() async
}

extension Consumer {
    /// Zero: it does not know.
    public var stalled: Duration { .zero }

    /// Stores statuses on the way, unless the lease is gone.
    public func report(_ statuses: [StatusRecord]) async throws {
        try await report(Effects(statuses))
    }
}
