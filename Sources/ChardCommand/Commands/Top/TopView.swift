// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// What `top` shows of one look. A value.
struct TopView: Sendable {
    let location: String
    let scene: Alarm.Scene
    let workers: [WorkerReport]
    let python: [RemoteWorker]
    let history: HistoryReader.Look

    private struct Run {
        var node: String
        var run: Vitals.Running
        var seconds: Double
    }

    /// What runs, the longest first.
    private var runs: [Run] {
        let now = scene.now.timeIntervalSince1970
        let all = workers.map { ($0.node, $0.vitals.running) } + python.map { ($0.node, $0.running) }
        return all.flatMap { node, running in
            running.map { Run(node: node, run: $0, seconds: max(0, now - $0.since)) }
        }.sorted { $0.seconds > $1.seconds }
    }

    private func sum(_ part: KeyPath<QueueReport, Int>) -> Int { scene.queues.reduce(0) { $0 + $1[keyPath: part] } }

    /// The queues, the fullest first.
    private var queues: [QueueReport] {
        scene.queues.sorted { ($0.waiting, $0.leased, $1.queue) > ($1.waiting, $1.leased, $0.queue) }
    }

    private var tasks: [(name: String, figures: Tally.Figures)] {
        history.tally.byTask.sorted { ($0.value.counts.over, $1.key) > ($1.value.counts.over, $0.key) }
            .map { ($0.key, $0.value) }
    }

    // MARK: For scripts

    var document: JSON {
        func seconds(_ value: Double?) -> JSON { value.map { .number(($0 * 10_000).rounded() / 10_000) } ?? .null }
        func spread(_ spread: Spread) -> JSON {
            [
                "p50": seconds(spread.quantile(0.5)), "p95": seconds(spread.quantile(0.95)),
                "p99": seconds(spread.quantile(0.99)),
            ]
        }
        func counts(_ counts: TallyCounts) -> [String: JSON] {
            [
                "over": .integer(counts.over), "failed": .integer(counts.failed), "lost": .integer(counts.lost),
                "retried": .integer(counts.retried),
            ]
        }
        return [
            "at": .string(Timestamp.text(for: scene.now)), "broker": .string(location),
            "alarms": .array(
                scene.alarms.map { ["severity": .string($0.severity.rawValue), "text": .string($0.text)] }),
            "waiting": .integer(sum(\.waiting)), "delayed": .integer(sum(\.delayed)),
            "leased": .integer(sum(\.leased)), "dead": .integer(sum(\.dead)),
            "workers": .integer(workers.count), "python_workers": .integer(python.count),
            "history": ["is_kept": .bool(history.isKept), "is_read": .bool(history.isRead)],
            "last_hour": .object(counts(history.tally.hour(until: scene.now).total)),
            "last_day": .object(counts(history.tally.day(until: scene.now).total)),
            "queues": .array(
                queues.prefix(100).map { queue in
                    [
                        "queue": .string(queue.queue), "waiting": .integer(queue.waiting),
                        "delayed": .integer(queue.delayed), "leased": .integer(queue.leased),
                        "dead": .integer(queue.dead), "paused": .bool(queue.isPaused),
                        "oldest_wait": queue.oldestWait.map(JSON.number) ?? .null,
                    ]
                }),
            "tasks": .array(
                tasks.prefix(100).map { name, figures in
                    let more: [String: JSON] = [
                        "task": .string(name), "run": spread(figures.run), "wait": spread(figures.wait),
                    ]
                    return .object(counts(figures.counts).merging(more) { $1 })
                }),
            "running": .array(
                runs.prefix(500).map { run in
                    [
                        "id": .string(run.run.id), "task": .string(run.run.task), "node": .string(run.node),
                        "seconds": seconds(run.seconds),
                    ]
                }),
        ]
    }

    // MARK: For people

    /// - Parameter size: The lines and columns of the terminal that it has to fit into.
    func text(_ size: (lines: Int, columns: Int)? = nil) -> String {
        var parts = [head]
        let alarms = scene.alarms
        if !alarms.isEmpty {
            let more = alarms.count > 5 ? ["! and \(alarms.count - 5) more"] : []
            parts.append((alarms.prefix(5).map { "! \($0.text.printable())" } + more).joined(separator: "\n"))
        }
        parts += [figures, queueTable.text]
        if !tasks.isEmpty { parts.append(taskTable.text) }
        if !runs.isEmpty { parts.append(runTable.text) }
        let text = parts.joined(separator: "\n\n")
        guard let size else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).prefix(size.lines - 1)
            .map { $0.prefix(size.columns) }.joined(separator: "\n")
    }

    private var head: String {
        let slots = workers.reduce(0) { $0 + $1.concurrency } + python.reduce(0) { $0 + ($1.concurrency ?? 0) }
        let others = python.isEmpty ? "" : ", \(python.count) of them Python's"
        return
            "\(location)  \(Words.time(scene.now))\n\(Words.count(workers.count + python.count, "worker"))\(others), "
            + "\(runs.count) of \(Words.count(slots, "slot")) busy"
    }

    private var figures: String {
        let now =
            "waiting \(sum(\.waiting))  delayed \(sum(\.delayed))  with workers \(sum(\.leased))  dead \(sum(\.dead))"
        guard history.isKept else { return "\(now)\nthis broker keeps no history of what is over" }
        let slots = history.tally.hour(until: scene.now)
        let total = slots.total
        let reading = history.isRead ? "" : "  (reading the history: \(history.tally.told) so far)"
        return
            "\(now)\nlast hour \(TopView.spark(slots.map(\.counts.over)))  over \(total.over)  failed \(total.failed)  "
            + "lost \(total.lost)  retried \(total.retried)\(reading)"
    }

    private var queueTable: Table {
        var table = Table("QUEUE", "WAITING", "OLDEST", "DELAYED", "LEASED", "DEAD", "", rightAligned: [1, 2, 3, 4, 5])
        for queue in queues.prefix(10) {
            let isUnserved = !scene.served.contains(queue.queue) && queue.waiting + queue.delayed > 0
            table.add(
                queue.queue, "\(queue.waiting)", queue.oldestWait.map(Words.duration) ?? "-", "\(queue.delayed)",
                "\(queue.leased)", "\(queue.dead)", queue.isPaused ? "paused" : isUnserved ? "served by nobody" : "")
        }
        return table
    }

    private var taskTable: Table {
        func span(_ value: Double?) -> String {
            value.map { $0 == 0 ? "< 1 ms" : Duration.seconds($0).wording } ?? "-"
        }
        func coarse(_ value: Double?) -> String { value.map { $0 < 1 ? "< 1 s" : Words.duration($0.rounded()) } ?? "-" }
        var table = Table(
            "TASK, LAST DAY", "OVER", "FAILED", "RAN P50", "P95", "P99", "WAITED P50", "P95", "P99",
            rightAligned: [1, 2, 3, 4, 5, 6, 7, 8])
        for (name, figures) in tasks.prefix(10) {
            let (run, wait) = (figures.run, figures.wait)
            table.add(
                name, "\(figures.counts.over)", "\(figures.counts.failed)", span(run.quantile(0.5)),
                span(run.quantile(0.95)), span(run.quantile(0.99)), coarse(wait.quantile(0.5)),
                coarse(wait.quantile(0.95)), coarse(wait.quantile(0.99)))
        }
        return table
    }

    private var runTable: Table {
        var table = Table("RUNS", "ID", "NODE", "FOR", rightAligned: [3])
        for run in runs.prefix(30) { table.add(run.run.task, run.run.id, run.node, Words.duration(run.seconds)) }
        return table
    }

    /// Numbers as a line of blocks.
    static func spark(_ numbers: [Int]) -> String {
        let blocks = Array("▁▂▃▄▅▆▇█")
        let most = numbers.max() ?? 0
        return String(numbers.map { $0 == 0 ? " " : blocks[($0 * blocks.count - 1) / max(1, most)] })
    }
}
