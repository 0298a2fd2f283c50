// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What a worker says of itself by remote control, in Celery's words: Python's workers are known by nothing else.
package struct RemoteWorker: Sendable {
    package var node: String
    package var queues: [String] = []
    package var running: [Vitals.Running] = []
    package var pid: Int?
    package var concurrency: Int?
    /// How many tasks it has run since its start.
    package var done: Int?
    /// For how many seconds it is there.
    package var uptime: Double?
    /// The most memory that it has used, in bytes.
    package var memory: Int?
    /// Whether it is one of Chard's.
    package var isSwift = false

    /// Puts together what workers have answered, by node name.
    package static func all(
        stats: [ControlReply], queues: [ControlReply], active: [ControlReply]
    ) -> [RemoteWorker] {
        var workers: [String: RemoteWorker] = [:]
        for reply in stats where reply.error == nil {
            var worker = workers[reply.node] ?? RemoteWorker(node: reply.node)
            let stats = reply.answer
            worker.pid = stats["pid"]?.integer
            worker.concurrency = stats["pool"]?["max-concurrency"]?.integer
            worker.uptime = stats["uptime"]?.number
            worker.done = stats["total"]?.object.map { $0.values.reduce(0) { $0 + ($1.integer ?? 0) } }
            // As Linux has it, in kilobytes.
            let kilobytes = stats["rusage"]?["maxrss"]?.integer
            worker.memory = kilobytes.flatMap { 0..<(1 << 40) ~= $0 ? $0 * 1024 : nil }
            worker.isSwift = stats["pool"]?["implementation"]?.string?.hasPrefix("chard:") ?? false
            workers[reply.node] = worker
        }
        for reply in queues where reply.error == nil {
            workers[reply.node, default: RemoteWorker(node: reply.node)].queues =
                (reply.answer.array ?? []).compactMap { $0["name"]?.string }
        }
        for reply in active where reply.error == nil {
            workers[reply.node, default: RemoteWorker(node: reply.node)].running =
                (reply.answer.array ?? []).compactMap { task in
                    guard let id = task["id"]?.string else { return nil }
                    return Vitals.Running(
                        id: id, task: task["name"]?.string ?? "?", since: task["time_start"]?.number ?? 0)
                }
        }
        return workers.values.sorted { $0.node < $1.node }
    }
}

extension Operator.Remote {
    /// Whether the broker carries remote control.
    package var isCarried: Bool { (try? app.broker.power(.mailbox) != nil) ?? false }

    /// What the workers that listen say of themselves, Python's and Swift's; none where the broker does not carry the question.
    package func workers(patience: Duration) async throws -> [RemoteWorker] {
        guard isCarried else { return [] }
        async let stats = ask("stats", for: patience)
        async let queues = ask("active_queues", for: patience)
        async let active = ask("active", for: patience)
        return RemoteWorker.all(stats: try await stats, queues: try await queues, active: try await active)
    }
}
