// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Takes everything from one broker to another, queue by queue.
struct Migration: Sendable {
    let source: any MovableBroker
    let target: any MovableBroker
    let output: Output
    private let node = "migrate@\(hostName())"

    init(from source: any MovableBroker, to target: any MovableBroker, output: Output) {
        self.source = source
        self.target = target
        self.output = output
    }

    /// What was moved, and what stays behind.
    struct Report: Sendable {
        var queues: [(report: QueueReport, moved: QueueMigration.Counts)] = []
        var results = 0
        var revocations = 0
        var schedules = 0
        var workflows = WorkflowMigration.Counts()

        /// How much stays at the source.
        var left: Int { queues.reduce(0) { $0 + $1.report.left } }
    }

    /// Moves the named queues, or all, with what their workflows rely on; then the results, and the schedules of 'beat'.
    func run(_ names: [String], force: Bool) async throws -> Report {
        try await source.connect()
        try await target.connect()
        try await refuseSameBroker()
        let workers = try await aliveAtSource()
        if !force, workers.contains(where: { $0.node == node }) {
            throw CommandError(
                "another migration runs on this machine, or was stopped a moment ago: what it held is given back within "
                    + "15 seconds, so run this again then")
        }
        guard workers.isEmpty || force else {
            throw CommandError(
                "workers are alive at \(source.location): \(workers.map(\.words).joined(separator: ", ")); what they hold "
                    + "would stay behind, so stop them first, or say --force")
        }
        var report = Report()
        // First of all, or a task that was revoked would run at the target.
        report.revocations = try await copyRevocations()
        let workflows = WorkflowMigration(source: source, target: target)
        report.workflows = try await workflows.copy()
        output.talk("workflows: \(report.workflows.joins) joins, \(report.workflows.records) records")
        let known = try await source.queues()
        let paused = Set(known.filter(\.isPaused).map(\.queue))
        let queues = names.isEmpty ? known.map(\.queue) : names
        var moved: [String: QueueMigration.Counts] = [:]
        for queue in queues {
            let total = known.first { $0.queue == queue }
            let pace = Pace()
            let migration = QueueMigration(
                queue: queue, source: source, target: target, node: node, isShared: !workers.isEmpty
            ) { [output] counts in
                guard pace.isTime() else { return }
                output.talk("\(queue.printable()): \(counts.words(of: total)) ...")
            }
            let counts = try await migration.run(isPaused: paused.contains(queue))
            output.talk("\(queue.printable()): \(counts.words(of: nil))")
            moved[queue] = counts
        }
        report.results = try await moveResults()
        // Last of all: where a tick waits for the task of the one before, the status of that is there.
        report.schedules = try await moveSchedules()
        let after = try await source.queues()
        report.queues = queues.map { queue in
            var left =
                after.first { $0.queue == queue }
                ?? QueueReport(queue: queue, waiting: 0, delayed: 0, leased: 0, dead: 0)
            left.isPaused = paused.contains(queue)
            return (left, moved[queue] ?? QueueMigration.Counts())
        }
        // What is still there may belong to them.
        if workers.isEmpty, after.allSatisfy({ $0.left == 0 }) { try await workflows.forget() }
        return report
    }

    /// Two URLs may name one broker: what is written to the one is then seen at the other.
    private func refuseSameBroker() async throws {
        let probe = TaskID.random()
        try await source.store([StatusRecord(TaskStatus(id: probe, state: .pending), timeToLive: .seconds(10))])
        let isSame = try await target.status(of: probe) != nil
        try await source.forget(probe)
        guard !isSame else {
            throw CommandError(
                "--from and --to name the same broker, \(source.location); there is nothing to move", status: .misused)
        }
    }

    /// The workers at the source. What an earlier migration held, of which nothing is left but its lease, is given back.
    private func aliveAtSource() async throws -> [WorkerReport] {
        var alive: [WorkerReport] = []
        for worker in try await source.workers() {
            if worker.node == node, kill(pid_t(worker.pid), 0) != 0, errno == ESRCH {
                try await source.declareLost(worker.identity)
            } else {
                alive.append(worker)
            }
        }
        return alive
    }

    private func copyRevocations() async throws -> Int {
        let revocations = try await source.revocations()
        let now = Date()
        // By the minute, so that there are fewer of them to write.
        let groups = Dictionary(grouping: revocations) { Int($0.until.timeIntervalSince(now) / 60) + 1 }
        for (minutes, group) in groups {
            try await target.revoke(group.map(\.id), terminating: false, timeToLive: .seconds(minutes * 60))
        }
        return revocations.count
    }

    private func moveResults() async throws -> Int {
        let pace = Pace()
        var count = 0
        var place: String?
        repeat {
            let page = try await source.storedStatuses(from: place)
            if !page.statuses.isEmpty {
                try await target.storeMissing(page.statuses)
                try await source.forget(page.statuses)
            }
            count += page.statuses.count
            place = page.next
            if pace.isTime() { output.talk("results: \(count) ...") }
        } while place != nil
        output.talk("results: \(count)")
        return count
    }

    private func moveSchedules() async throws -> Int {
        var count = 0
        while case let records = try await source.schedules().records, !records.isEmpty {
            let present = try await target.schedules().records
            for record in records {
                let there = present.first { $0.name == record.name }
                if let arrival = record.arrival(where: there) {
                    guard try await target.keepWhole(arrival, replacing: there?.version ?? 0) else { continue }
                }
                // Whatever was changed meanwhile is moved in the next round.
                if try await source.forgetSchedule(record.name, version: record.version) { count += 1 }
            }
        }
        output.talk("schedules: \(count)")
        return count
    }
}

extension ScheduleRecord {
    /// What is to be kept of a schedule where there is `present` already; `nil` if that stays as it is.
    ///
    /// A program that was started at the target has said what its code has: that is newer, and if ticks were sent of it, it
    /// knows how far they are. What the operator ordered is at the source, unless there are orders at the target, too.
    func arrival(where present: ScheduleRecord?) -> ScheduleRecord? {
        guard let present else { return self }
        guard unreadable == nil else { return nil }
        guard present.origin == .code, !present.isPaused else { return nil }
        var arrival = self
        arrival.app = present.app
        arrival.code = present.code
        if present.progress.sent + present.progress.dropped > 0 { arrival.progress = present.progress }
        return arrival
    }
}

extension QueueReport {
    /// How much is in the queue.
    var left: Int { waiting + delayed + leased + dead }
}

extension QueueMigration.Counts {
    /// `20 of 300 waiting, 3 scheduled, 0 dead`.
    fileprivate func words(of total: QueueReport?) -> String {
        func part(_ count: Int, _ total: Int?, _ kind: String) -> String {
            total.map { "\(count) of \(max(count, $0)) \(kind)" } ?? "\(count) \(kind)"
        }
        return [
            part(waiting, total?.waiting, "waiting"), part(delayed, total?.delayed, "scheduled"),
            part(dead, total?.dead, "dead"),
        ].joined(separator: ", ")
    }
}

extension WorkerReport {
    fileprivate var words: String { "\(node.printable()) (pid \(pid))" }
}
