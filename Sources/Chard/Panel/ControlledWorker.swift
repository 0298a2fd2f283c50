// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A worker, as remote control sees and changes it.
protocol ControlledWorker: AnyObject, Sendable {
    var node: String { get }
    var startedAt: Date { get }
    /// Whether events were wished for at its start.
    var sendsEventsFromStart: Bool { get }
    var vitals: Vitals { get }
    var queues: [String] { get }
    var concurrency: Int { get }
    /// What runs, oldest first, and what waits here for a slot.
    var held: [HeldTask] { get }
    /// The time limits that tasks were given while the worker runs.
    var timeLimits: TaskTimeLimits { get }
    /// How often tasks may start.
    var rates: TaskRates { get }
    /// The stamps by which tasks are revoked.
    var revokedStamps: RevokedStamps { get }

    func setConcurrency(_ concurrency: Int) throws(AppError)
    func consume(_ queue: String) throws(AppError)
    func cancel(consuming queue: String) throws(AppError)
    /// Cancels the runs of these tasks.
    func terminate(_ ids: Set<String>)
    func shutDown()
    /// Begins or ends to send events of tasks. Returns whether that is news; `nil` where there are none.
    func sendEvents(_ isOn: Bool) -> Bool?
    /// Sends the event that says that it is there.
    func sendHeartbeat() async
}

/// A message that a worker has in hand.
struct HeldTask: Sendable {
    var delivery: Delivery
    /// When its run began, in seconds since 1970; `nil` for what waits for a slot.
    var since: Double?
    /// What is said of it, made once.
    let message: TaskMessage?

    init(_ delivery: Delivery, since: Double? = nil) {
        self.delivery = delivery
        self.since = since
        message = delivery.excerptOf == nil ? try? TaskMessage(decoding: delivery.payload, limits: .held) : nil
    }
}
