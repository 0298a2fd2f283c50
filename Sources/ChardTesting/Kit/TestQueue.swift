// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A queue for tests: an app's tasks in memory, on a clock that the test moves, run when the test says so.
///
/// ```swift
/// let shop = Shop()
/// let queue = TestQueue(shop.app)
///
/// try await shop.placeOrder(7)                       // your code, which enqueues
/// #expect(queue.enqueued(shop.sendReceipt) == [.init(7)])
///
/// try await queue.drain()                            // runs what waits
/// try await queue.run(for: .seconds(3_600))          // an hour with a worker up: ETAs, retries
/// ```
/// There is no server, no worker and no waiting: time passes only in ``advance(by:)`` and ``run(for:)``, at once. Messages
/// travel encoded, through the app's middleware, and are run, judged and settled by the worker's own code.
public final class TestQueue: Sendable {
    /// The app whose tasks these are.
    public let app: Chard
    /// The time of the app and of its queue.
    public let clock: ManualClock
    /// The queue itself, for whatever is not offered here: dead letters, revocations, counts.
    public let broker: MemoryBroker

    let mishaps = Mishaps()
    let pool: SoloPool
    private let sent = Tally<TaskMessage>()

    /// Takes an app over: from now on what it enqueues is kept here, and its time is that of `clock`.
    ///
    /// An app belongs to one test queue at a time: give each test an app of its own.
    public init(_ app: Chard, clock: ManualClock = ManualClock()) {
        self.app = app
        self.clock = clock
        pool = SoloPool(app)
        broker = MemoryBroker(settings: .on(clock)) { [sent] messages in
            sent.add(messages.compactMap { try? TaskMessage(decoding: $0.payload) })
        }
        app.takeOver(broker: broker, now: { clock.now })
    }

    // MARK: What was enqueued

    /// The arguments of every call of `task` that was enqueued, in order, those that have run included.
    ///
    /// Retries are not counted again. A call by name whose arguments do not fit the task is among ``messages`` only.
    public func enqueued<Output, each Argument>(
        _ task: TaskHandle<Output, repeat each Argument>
    ) -> [Call<repeat each Argument>] {
        messages(of: task.name).compactMap { message in
            guard let arguments = try? task.arguments(of: message) else { return nil }
            return Call(repeat each arguments)
        }
    }

    /// Every message that was enqueued, in order: its queue is `properties.routingKey`, its times, priority, headers and ids
    /// are those that travel.
    public var messages: [TaskMessage] { sent.all }

    /// Every message of `task` that was enqueued, in order.
    public func messages(of task: String) -> [TaskMessage] {
        sent.all.filter { $0.task == task }
    }

    // MARK: Time

    /// Lets time pass with no worker up. When this returns, everything that has become due can be claimed; `drain(_:)` runs
    /// it.
    public func advance(by duration: Duration) {
        clock.advance(by: duration)
    }

    // MARK: Mishaps

    /// Makes the next runs of `task` fail with `error` in place of its body: what the task's retry policy makes of it is
    /// up to the policy.
    public func failNext<Output, each Argument>(
        _ task: TaskHandle<Output, repeat each Argument>, with error: any Error, times: Int = 1
    ) {
        mishaps.fail(task.name, with: error, times: times)
    }

    /// Loses the worker in the middle of the next run of `task`, as a kill or a power cut does. The message comes back, its
    /// loss counted, when the lease of 12 seconds has lapsed.
    public func loseWorkerDuringNext<Output, each Argument>(_ task: TaskHandle<Output, repeat each Argument>) {
        mishaps.loseWorker(during: task.name)
    }
}

/// What a test asked of its queue cannot be had.
public struct TestQueueError: Error, Sendable, CustomStringConvertible {
    /// What was asked, and why it cannot be had.
    public let description: String
}
