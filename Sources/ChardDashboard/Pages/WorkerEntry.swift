// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// A worker process as pages have it: by its heartbeats, by what it says when asked, or both.
struct WorkerEntry: Sendable {
    var node: String
    var language: String
    var version: String?
    var pid: Int?
    var queues: [String]
    var concurrency: Int?
    var running: [Vitals.Running]
    var done: Int?
    var failed: Int?
    var memory: Int?
    /// In seconds since 1970.
    var startedAt: Double?
    var seenAt: Double?
    var stalled: Int?

    /// What stands behind the `@` of its name.
    var host: String { node.split(separator: "@", maxSplits: 1).last.map(String.init) ?? node }

    /// All, by node name: Swift's by their heartbeats, and Python's as far as they have answered.
    static func all(_ facts: Facts) async throws -> [WorkerEntry] {
        let remote = await facts.remoteWorkers.value() ?? []
        let answers = Dictionary(remote.map { ($0.node, $0) }, uniquingKeysWith: { first, _ in first })
        let now = facts.app.settings.now().timeIntervalSince1970
        let swift = try await facts.workers.value().map { WorkerEntry($0, answers[$0.node]) }
        let known = Set(swift.map(\.node))
        let others = remote.filter { !known.contains($0.node) && !$0.isSwift }.map { WorkerEntry($0, now: now) }
        return (swift + others).sorted { ($0.node, $0.pid ?? 0) < ($1.node, $1.pid ?? 0) }
    }

    private init(_ report: WorkerReport, _ remote: RemoteWorker?) {
        (node, language, version) = (report.node, "Swift", report.vitals.version)
        (pid, queues, concurrency, running) = (report.pid, report.queues, report.concurrency, report.vitals.running)
        (done, failed, startedAt, seenAt) = (report.vitals.done, report.vitals.failed, report.startedAt, report.seenAt)
        stalled = report.vitals.stalled
        // Of several processes with one name, whichever has answered.
        if let remote, remote.pid == report.pid {
            memory = remote.memory
            queues = remote.queues
        }
    }

    private init(_ worker: RemoteWorker, now: Double) {
        (node, language, pid, queues) = (worker.node, "Python", worker.pid, worker.queues)
        (concurrency, running, done, memory) = (worker.concurrency, worker.running, worker.done, worker.memory)
        startedAt = worker.uptime.map { now - $0 }
    }

    func document(now: Date, mostRunning: Int = 5) -> JSON {
        func time(_ seconds: Double?) -> JSON {
            MessageDocument.time(seconds.map { Date(timeIntervalSince1970: $0) })
        }
        func number(_ value: Int?) -> JSON { value.map(JSON.integer) ?? .null }
        let now = now.timeIntervalSince1970
        return [
            "node": .string(node), "host": .string(host), "language": .string(language),
            "version": version.map(JSON.string) ?? .null, "pid": number(pid),
            "queues": .array(queues.map(JSON.string)), "slots": number(concurrency),
            "running_count": .integer(running.count),
            "running": .array(
                running.prefix(mostRunning).map { run in
                    [
                        "id": .string(run.id), "task": .string(run.task),
                        "seconds": .number(max(0, ((now - run.since) * 1000).rounded() / 1000)),
                        "started_at": time(run.since),
                    ]
                }),
            "done": number(done), "failed": number(failed), "memory": number(memory),
            "started_at": time(startedAt), "uptime": startedAt.map { .number(max(0, (now - $0).rounded())) } ?? .null,
            "seen_at": time(seenAt), "stalled": number(stalled),
        ]
    }
}

/// The names of tasks that a worker did not know.
enum UnknownTasks {
    static func document(_ letters: [DeadLetterSummary]) -> JSON {
        let found = letters.map(\.letter).filter { $0.reason == .notRegistered }
        let groups = Dictionary(grouping: found) { $0.task ?? "?" }
        return .array(
            groups.sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }.prefix(50).map { task, letters in
                [
                    "task": .string(task), "count": .integer(letters.count),
                    "queues": .array(Set(letters.map(\.queue)).sorted().prefix(5).map(JSON.string)),
                    "workers": .array(Set(letters.map(\.worker)).sorted().prefix(5).map(JSON.string)),
                ]
            })
    }
}
