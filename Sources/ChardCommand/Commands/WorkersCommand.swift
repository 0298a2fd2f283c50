// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `workers`: who is alive.
struct WorkersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers", abstract: "Shows the workers that are alive, and what they run.",
        discussion: """
            running: tasks under way; done: tasks ended since the start, failed ones included; seen: the last heartbeat. \
            Python's workers do not show here.
            """)

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let workers = try await session.reachedOperator().workers()
            if session.isJSON { return try session.output.answer(JSON.array(workers.map(\.document))) }
            guard !workers.isEmpty else {
                return session.output.talk(
                    "no worker is alive; start one with 'PROGRAM worker', where PROGRAM has the tasks")
            }
            var table = Table(
                "NODE", "PID", "QUEUES", "CONCURRENCY", "RUNNING", "DONE", "FAILED", "UP", "SEEN",
                rightAligned: [1, 3, 4, 5, 6, 7, 8])
            let now = Date().timeIntervalSince1970
            for worker in workers {
                table.add(
                    worker.node, "\(worker.pid)", worker.queues.joined(separator: ","), "\(worker.concurrency)",
                    "\(worker.vitals.running.count)", "\(worker.vitals.done)", "\(worker.vitals.failed)",
                    Words.duration((now - worker.startedAt).rounded()),
                    Words.duration((now - worker.seenAt).rounded()) + " ago")
            }
            var runs = Table("NODE", "RUNS", "ID", "FOR", rightAligned: [3])
            for worker in workers {
                for run in worker.vitals.running {
                    runs.add(worker.node, run.task, run.id, Words.duration((now - run.since).rounded()))
                }
            }
            try session.output.answer(runs.isEmpty ? table.text : table.text + "\n\n" + runs.text)
        }
    }
}

extension WorkerReport {
    /// Times are in seconds since 1970.
    var document: JSON {
        [
            "node": .string(node), "identity": .string(identity), "pid": .integer(pid),
            "queues": .array(queues.map(JSON.string)), "concurrency": .integer(concurrency),
            "running": .integer(vitals.running.count), "done": .integer(vitals.done),
            "failed": .integer(vitals.failed), "started": .number(startedAt), "seen": .number(seenAt),
            "tasks": .array(
                vitals.running.map { ["id": .string($0.id), "task": .string($0.task), "since": .number($0.since)] }),
        ]
    }
}
