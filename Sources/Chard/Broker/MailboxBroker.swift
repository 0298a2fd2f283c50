// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker over which workers can be asked and told something while they work, as Celery's are by remote control.
///
/// What is said is heard by those who listen at that moment, and lost to all others: orders that must hold are kept by a
/// ``ControllableBroker``.
package protocol MailboxBroker: ControllableBroker {
    /// Where it is, in the terms of Celery's `stats`.
    var address: [String: JSON] { get }

    /// Listens to requests for as long as the returned value lives. They come on a thread that must not be blocked.
    func requests(_ onRequest: @escaping @Sendable (_ payload: [UInt8]) -> Void) -> any Sendable & AnyObject

    /// Answers a request, if whoever asked is still there. An answer that nobody fetches goes by itself.
    func answer(_ reply: ControlReply, to place: ControlRequest.ReplyPlace, clock: Int) async throws

    /// Asks workers, and waits for so many answers, or for as long as `patience` where nobody knows how many there will be.
    func ask(_ request: ControlRequest, for patience: Duration, expecting count: Int?) async throws -> [ControlReply]

    /// Tells workers something that needs no answer.
    func tell(_ request: ControlRequest) async throws

    /// Publishes events to whoever listens: JSON text, under kombu's routing key.
    func publish(_ events: [UInt8], _ routingKey: String, from node: String) async throws

    /// Listens to events for as long as the returned value lives; returns once that has begun. They come on a thread that must not
    /// be blocked.
    func events(_ onEvents: @escaping @Sendable (_ payload: [UInt8]) -> Void) async throws -> any Sendable & AnyObject

    /// Revokes those of the tasks that are not revoked yet, in one step: many workers may be told the same at once, and it is
    /// one order all the same. Otherwise as ``ControllableBroker/revoke(_:terminating:timeToLive:statusLifetime:)``.
    func revokeIfNew(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statusLifetime: Duration
    ) async throws -> [String]

    /// The ids of revoked tasks, the ones to be remembered longest first, at most `limit`.
    func revokedTasks(limit: Int) async throws -> [String]
}
