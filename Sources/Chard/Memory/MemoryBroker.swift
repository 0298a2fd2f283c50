// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// A broker within the process: for tests, and for programs that convert to a queue later.
///
/// It keeps the whole contract except outliving its process. Messages travel encoded, as on every other broker.
public final class MemoryBroker: InspectableBroker, ControllableBroker, SupervisedBroker, StatusWatching, PoweredStore {
    /// `memory://`
    public let location = "memory://"

    let settings: MemorySettings
    private let state: Mutex<MemoryState>
    private let timer: MemoryTimer
    let onSend: (@Sendable ([OutgoingMessage]) -> Void)?

    /// Makes an empty broker.
    public convenience init(settings: MemorySettings = MemorySettings()) {
        self.init(settings: settings, onSend: nil)
    }

    /// Makes an empty broker that tells of everything that is sent, but not of what follows a settlement.
    package init(settings: MemorySettings, onSend: (@Sendable ([OutgoingMessage]) -> Void)?) {
        self.settings = settings
        self.onSend = onSend
        state = Mutex(MemoryState(settings: settings))
        timer = MemoryTimer(settings.alarm)
    }

    /// There is nobody to reach.
    public func connect() async throws {}

    /// Places messages.
    @discardableResult
    public func send(_ messages: [OutgoingMessage]) async throws -> [Placement] {
        let placements = change { state, now in
            state.send(messages, now: now)
            return messages.map { Placement(of: $0, at: now) }
        }
        onSend?(messages)
        return placements
    }

    /// Opens a hold under a fresh identity.
    public func consumer(for subscription: Subscription) async throws -> any Consumer {
        let identity = "\(subscription.node)/\(TaskID.random())"
        let consumer = MemoryConsumer(identity: identity, subscription: subscription, broker: self)
        let ended = consumer.ended
        change { state, _ in state.open(identity, subscription) { ended.fire() } }
        return consumer
    }

    package var seal: LossSeal { state.withLock { $0.seal } }

    /// Changes the state under its lock, then tells whoever the change concerns.
    @discardableResult
    func change<Result: Sendable>(_ body: (inout MemoryState, Date) -> Result) -> Result {
        let now = settings.now()
        let (result, wakes, due) = state.withLock { state in
            state.placeDue(now: now)
            state.endLapsed(now: now)
            let result = body(&state, now)
            return (result, state.takeWakes(), state.nextDue)
        }
        for wake in wakes { wake() }
        if let due { timer.arm(at: due, now: now) { [weak self] in self?.change { _, _ in } } }
        return result
    }

    // MARK: ResultStore

    /// Stores and publishes.
    public func store(_ statuses: [StatusRecord]) async throws {
        change { state, now in for status in statuses { state.store(status, now: now) } }
    }

    /// The stored status.
    public func status(of id: String) async throws -> TaskStatus? {
        guard let json = change({ state, now in state.status(of: id, now: now) }) else { return nil }
        return try TaskStatus(reading: json)
    }

    /// The stored status, then each new one.
    public func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { stream(of: id) }

    package func watch(_ id: String, _ tell: @escaping StatusListener) -> @Sendable () -> Void {
        let number = change { state, now in
            state.watch(id, now: now, tell)
        }
        return { [weak self] in self?.change { state, _ in state.listeners.remove(id, number) } }
    }

    /// Deletes the stored status.
    public func forget(_ id: String) async throws -> Bool {
        change { state, now in state.forget(id, now: now) }
    }

    /// Writes the statuses, joins and records among effects, of a step that has no message.
    func take(_ effects: Effects) -> Receipt {
        change { state, now in state.take(effects, now: now) }
    }

    /// Forgets nothing and closes nothing: the broker lives as long as it is referred to.
    public func shutdown() async {}

    // MARK: ControllableBroker

    /// Revokes tasks.
    @discardableResult
    public func revoke(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statusLifetime: Duration
    ) async throws -> [String] {
        let statuses = ids.map { StatusRecord.revoked($0, at: settings.now(), timeToLive: statusLifetime) }
        return change { state, now in
            state.revoke(ids, terminating: terminating, timeToLive: timeToLive, statuses: statuses, now: now)
        }
    }

    /// Pauses a queue.
    @discardableResult
    public func pause(_ queue: String) async throws -> Bool {
        change { state, _ in state.pause(queue) }
    }

    /// Resumes a queue.
    @discardableResult
    public func resume(_ queue: String) async throws -> Bool {
        change { state, _ in state.resume(queue) }
    }

    /// Whether a task is revoked.
    public func isRevoked(_ id: String) async throws -> Bool {
        change { state, now in state.isRevoked(id, now: now) }
    }

    // MARK: SupervisedBroker

    /// Gives back at once what a holder held.
    @discardableResult
    public func declareLost(
        _ identity: String, because cause: String?, lifetimes: StatusLifetimes
    ) async throws -> [StatusRecord] {
        change { state, now in state.end(identity, isLost: true, because: cause, lifetimes: lifetimes, now: now) }
    }

    /// Makes a consumer fall silent as a killed process does: its lease runs out.
    package func silence(_ identity: String) {
        change { state, now in state.silence(identity, now: now) }
    }

    // MARK: InspectableBroker

    /// The name of every queue that was ever used.
    public func queueNames() async throws -> [String] {
        change { state, now in state.queueNames(now: now) }
    }

    /// Every queue that was ever used.
    public func queues() async throws -> [QueueReport] {
        change { state, now in state.reports(now: now) }
    }

    /// Deletes what waits.
    public func purge(_ queue: String, delayed: Bool) async throws -> Int {
        change { state, _ in state.purge(queue, delayed: delayed) }
    }

    /// The open consumers.
    public func workers() async throws -> [WorkerReport] {
        let holders = change { state, now in state.liveHolders(now: now) }
        return holders.map { identity, subscription, seen in
            WorkerReport(
                node: subscription.node, identity: identity, pid: Int(ProcessInfo.processInfo.processIdentifier),
                queues: subscription.queues, concurrency: subscription.concurrency,
                startedAt: subscription.startedAt.timeIntervalSince1970, seenAt: seen.timeIntervalSince1970,
                vitals: subscription.vitals())
        }
    }

    /// Dead letters, newest first.
    public func deadLetters(in queue: String?, limit: Int) async throws -> [DeadLetter] {
        change { state, now in state.deadLetters(in: queue, limit: limit, now: now) }
    }

    /// One dead letter.
    public func deadLetter(_ id: String) async throws -> DeadLetter? {
        change { state, now in state.deadLetter(id, now: now) }
    }

    /// Sends a dead letter's message again.
    public func requeueDeadLetter(_ id: String) async throws -> Bool {
        change { state, now in state.requeueDeadLetter(id, now: now) }
    }

    /// Deletes a dead letter.
    public func dropDeadLetter(_ id: String) async throws -> Bool {
        change { state, _ in state.dropDeadLetter(id) }
    }
}

/// What a memory broker goes by.
public struct MemorySettings: Sendable {
    /// The present time.
    public var now: @Sendable () -> Date = { Date() }
    /// Calls back, once, at a time by ``now``. By default the system's timers do, which know no other clock than the
    /// system's: set this together with ``now``.
    public var alarm: (@Sendable (_ at: Date, _ action: @escaping @Sendable () -> Void) -> Void)?
    /// How long a process that fell silent keeps what it holds.
    public var lease: Duration = .seconds(12)
    /// After so many losses a message goes to the dead letters.
    public var maximumLosses = 3
    /// How many dead letters are kept.
    public var deadLetterLimit = 10_000
    /// How long dead letters are kept.
    public var deadLetterTimeToLive: Duration = .seconds(30 * 86_400)
    /// How much is kept of the history of tasks.
    public var history = HistoryLimits.usual

    /// Makes settings; what is not given is as it is by default.
    public init(
        lease: Duration = .seconds(12), maximumLosses: Int = 3, deadLetterLimit: Int = 10_000,
        deadLetterTimeToLive: Duration = .seconds(30 * 86_400), now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.lease = lease
        self.maximumLosses = maximumLosses
        self.deadLetterLimit = deadLetterLimit
        self.deadLetterTimeToLive = deadLetterTimeToLive
        self.now = now
    }
}

extension ResultStore {
    /// Whether this is a ``MemoryBroker``. By its type: before a cast to a class Swift's runtime looks whether Foundation has wrapped the
    /// value, which takes two searches through all conformances of the program.
    package var isInMemory: Bool { type(of: self) == MemoryBroker.self }
}
