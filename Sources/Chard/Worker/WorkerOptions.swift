// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How a worker process works.
public struct WorkerOptions: Sendable {
    /// The queues to serve, round robin; empty means the app's default queue.
    public var queues: [String]
    /// How many tasks run at once. Default: four for each core.
    public var concurrency: Int
    /// The node name; `nil` makes `<app>@<host>`. Give each worker one of its own: two of one name work side by side without
    /// harm, since each holds messages under an identity of its own, but lists, logs and dead letters do not tell them
    /// apart.
    public var node: String?
    /// How long running tasks may go on after the worker was told to stop; then they are handed back.
    public var gracePeriod: Duration
    /// Whether the worker ends by itself when nothing waits in its queues and nothing runs.
    public var drains: Bool
    /// How long a worker that is started while its broker cannot be reached waits for it; `nil`, the default, as long as it takes. A
    /// broker that refuses it, for a reason that waiting does not mend, is not waited for.
    public var brokerWait: Duration?
    /// The worker ends by itself after so many tasks; `nil` sets no limit. Its running tasks are finished first.
    public var maximumTasks: Int?
    /// The worker ends by itself when its process is larger, in bytes; `nil` sets no limit. Running tasks are finished
    /// first. On Linux only: elsewhere a limit is an error at the start.
    public var maximumMemory: Int?
    /// Whether the worker does what Celery's remote control asks for, where its broker carries that: Redis does.
    public var remoteControl = true
    /// Whether the worker sends Celery's events of its tasks from the start; remote control turns that on and off.
    public var sendsEvents = false
    /// Told that remote control ends the worker, just before it begins to stop.
    public var onShutdown: (@Sendable () -> Void)?
    /// Told under which identity the worker holds messages from now on: at the start, and again after a lost lease.
    public var onIdentity: (@Sendable (String) -> Void)?
    /// Told, in words, that a body goes on a second after its hard time limit and its cancellation. By then everything
    /// else was handed back: whoever sets this is to end the process. Without it the body keeps its slot until it ends.
    public var onOverrun: (@Sendable (String) -> Void)?
    /// Told, in words, that bodies go on a second after the worker's end cancelled them. Their tasks were handed back just
    /// now: whoever sets this is to end the process at once, before others run them.
    public var onStubborn: (@Sendable (String) -> Void)?

    /// Makes options.
    public init(
        queues: [String] = [], concurrency: Int = ProcessInfo.processInfo.activeProcessorCount * 4,
        node: String? = nil, gracePeriod: Duration = .seconds(30), drains: Bool = false
    ) {
        self.queues = queues
        self.concurrency = concurrency
        self.node = node
        self.gracePeriod = gracePeriod
        self.drains = drains
    }

    /// What makes no sense; `nil` if all is well.
    var problem: String? {
        #if !os(Linux)
        if maximumMemory != nil { return "maximumMemory is set, and only Linux tells how large a process is" }
        #endif
        if concurrency < 1 { return "the concurrency is \(concurrency); it must be at least 1" }
        return Self.problem(of: queues)
    }

    static func problem(of queues: [String]) -> String? {
        if queues.contains(where: \.isEmpty) { return "a queue's name is empty" }
        if Set(queues).count < queues.count { return "a queue is named twice: \(queues.joined(separator: ","))" }
        return nil
    }
}
