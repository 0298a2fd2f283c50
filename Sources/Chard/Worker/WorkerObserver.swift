// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Whoever is told what an app's workers do: for metrics, traces and logs. Add it with ``Chard/add(observer:)``.
///
/// Every method has a default that does nothing. They are called in the middle of the work, and must not block, lock for long
/// or wait: what concerns a run is told on the thread of Swift's pool that runs it; all else on the thread that claims,
/// settles and renews for the whole worker, which on Redis is the event loop of its connections. Many runs may tell of
/// themselves at the same time. What is told of one delivery comes in the order in which it happens: taken, started, ended,
/// settled. A delivery that is told of no more once its hold has closed was handed back.
public protocol WorkerObserver: AppObserver {
    /// A worker takes work from now on. Told once, after the first ``holdOpened(_:)``.
    func workerStarted(_ node: String)

    /// A worker has ended, with the error that ended it, if it was one; also one that could not start. Told last.
    func workerStopped(_ node: String, error: (any Error)?)

    /// A worker holds messages under a new identity: at its start, after a lost lease, with other queues.
    func holdOpened(_ hold: WorkerHold)

    /// The lease of a hold is gone or in doubt: what runs under it is cancelled, and nothing of it can be settled.
    func leaseLost(_ hold: WorkerHold)

    /// A hold is over, and what was left of its messages is handed back, unless its lease was lost.
    func holdClosed(_ hold: WorkerHold)

    /// No new hold can be opened, because the broker is away; told at each attempt.
    func brokerAway(_ node: String, error: BrokerError)

    /// Messages were claimed. They are not read yet.
    func taken(_ deliveries: [Delivery], by hold: WorkerHold)

    /// A body is about to be run, inside the app's middleware.
    func runStarted(_ message: TaskMessage, _ delivery: Delivery, by hold: WorkerHold)

    /// What a delivery has come to, and how long after its slot took it up. What cannot be run has no start: its message is
    /// `nil` if it could not be read. A run that its hard time limit gave up has ended, whatever its body does.
    func ended(
        _ outcome: Outcome, of message: TaskMessage?, _ delivery: Delivery, after duration: Duration,
        by hold: WorkerHold)

    /// A delivery's end was written, or not, as the receipt says; also that of one that was handed back unstarted.
    func settled(_ delivery: Delivery, _ receipt: Receipt, by hold: WorkerHold)
}

extension WorkerObserver {
    /// Does nothing.
    public func workerStarted(_ node: String) {}
    /// Does nothing.
    public func workerStopped(_ node: String, error: (any Error)?) {}
    /// Does nothing.
    public func holdOpened(_ hold: WorkerHold) {}
    /// Does nothing.
    public func leaseLost(_ hold: WorkerHold) {}
    /// Does nothing.
    public func holdClosed(_ hold: WorkerHold) {}
    /// Does nothing.
    public func brokerAway(_ node: String, error: BrokerError) {}
    /// Does nothing.
    public func taken(_ deliveries: [Delivery], by hold: WorkerHold) {}
    /// Does nothing.
    public func runStarted(_ message: TaskMessage, _ delivery: Delivery, by hold: WorkerHold) {}
    /// Does nothing.
    public func ended(
        _ outcome: Outcome, of message: TaskMessage?, _ delivery: Delivery, after duration: Duration,
        by hold: WorkerHold
    ) {}
    /// Does nothing.
    public func settled(_ delivery: Delivery, _ receipt: Receipt, by hold: WorkerHold) {}
}

/// A worker's hold on its broker, as its observers see it.
public struct WorkerHold: Sendable, Hashable {
    /// The worker's node name.
    public let node: String
    /// The identity under which messages are leased.
    public let identity: String
    /// The queues they come from.
    public let queues: [String]
}
