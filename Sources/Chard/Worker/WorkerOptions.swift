// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How a worker process works.
public struct WorkerOptions: Sendable {
    /// The queues to serve, round robin; empty means the app's default queue.
    public var queues: [String]
    /// How many tasks run at once. Default: four for each core.
    public var concurrency: Int
    /// The node name; `nil` makes `<app>@<host>`. Must be unique among the workers that live.
    public var node: String?
    /// How long running tasks may go on after the worker was told to stop; then they are handed back.
    public var gracePeriod: Duration
    /// Whether the worker ends by itself when nothing waits in its queues and nothing runs.
    public var drains: Bool
    /// The worker ends by itself after so many tasks; `nil` sets no limit. Its running tasks are finished first.
    public var maximumTasks: Int?
    /// The worker ends by itself when its process is larger, in bytes; `nil` sets no limit. Running tasks are finished
    /// first.
    public var maximumMemory: Int?
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
        if concurrency < 1 { return "the concurrency is \(concurrency); it must be at least 1" }
        if queues.contains(where: \.isEmpty) { return "a queue's name is empty" }
        if Set(queues).count < queues.count { return "a queue is named twice: \(queues.joined(separator: ","))" }
        return nil
    }
}

/// The machine's host name, as other nodes see it in node names.
package func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
