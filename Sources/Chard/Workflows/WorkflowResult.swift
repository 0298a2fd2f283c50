// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A way to a whole workflow by its id: how far it is, its end, and a new beginning from what failed.
///
/// ```swift
/// let result = try await fetch.then(resize, with: 256).then(store).enqueue("cat.jpg")
/// let workflow = app.workflow(result.workflowID ?? result.id)
/// print(try await workflow.progress())                      // 1 of 3 done, 1 running
/// try await workflow.cancel()
/// ```
/// The broker keeps what it is made of for as long as it runs, and for a day afterwards.
public struct WorkflowResult: Sendable {
    /// The id: that of the root, which is the first task, or the group that comes first.
    public let id: String

    let app: Chard

    /// What it is made of, and how far each task is; `nil` where nothing is known of such a workflow: it was sent by Python or by an
    /// app without records, or is over for long.
    public func report() async throws -> WorkflowReport? {
        guard let record = try await self.record() else { return nil }
        let parts = record.compactMap { WorkflowRecord.Part(name: $0.key, $0.value) }
        guard !parts.isEmpty else { return nil }
        let statuses = try await app.statuses(of: parts.flatMap { $0.plan.ids })
        let survey = WorkflowSurvey(
            statuses: statuses, running: try await app.runningTasks(),
            isCancelled: record[WorkflowRecord.cancelled] != nil)
        let report = survey.report(of: id, parts)
        return record[FlowMap.value].flatMap(FlowMap.init(reading:)).map(report.connected(by:)) ?? report
    }

    /// How many of its tasks stand how.
    /// - Throws: ``AppError`` where nothing is known of such a workflow.
    public func progress() async throws -> WorkflowProgress {
        try await known().progress
    }

    /// Calls it off, for good: what waits of it will not run, whatever it would send will not either, and what runs is cancelled.
    /// Whoever waits for any of it is told that it was revoked.
    ///
    /// The order holds for 30 days, also for workers that are down now. Python's workers do not know of it: what they run goes on,
    /// but nothing that comes to a Swift worker.
    /// - Parameter terminating: Whether runs under way are cancelled, too.
    public func cancel(terminating: Bool = true) async throws {
        let broker = try app.broker.with(.orders)
        // First of all: what is sent from now on is dropped.
        let removed = try await broker.revoke(
            [TaskMessage.workflowOrder(id), id], terminating: terminating, timeToLive: .seconds(30 * 86_400),
            statusLifetime: app.settings.resultExpires)
        try await app.storeElsewhere(removed.map { app.revokedStatus(of: $0) })
        guard let store = try app.recordStore else { return }
        let time = Timestamp.text(for: app.settings.now())
        try await store.change([
            RecordChange(
                .amend, id, WorkflowRecord.cancelled, Array(time.utf8), timeToLive: app.settings.resultExpires)
        ])
        let open = try await report()?.tasks.filter { $0.status?.isReady != true }.map(\.id) ?? []
        for start in stride(from: 0, to: open.count, by: 500) {
            try await app.results.store(
                open[start..<min(start + 500, open.count)].map {
                    .revoked(
                        $0, TaskError.cancelled, at: app.settings.now(), timeToLive: app.settings.resultExpires)
                })
        }
    }

    /// Sends again what has failed for good, and so goes on from there: what has succeeded does not run again. Whoever waits for what
    /// failed waits on.
    /// - Returns: The ids of the tasks that were sent again; none where nothing has failed.
    /// - Throws: ``AppError`` if it was called off, or if the message of what failed is not kept: Python's workers keep none.
    @discardableResult
    public func retry() async throws -> [String] {
        let report = try await known()
        guard report.state != .cancelled else {
            throw AppError("workflow \(id) was called off, and nothing of it runs again; send it anew")
        }
        let store = try app.broker.with(.records)
        let failed = report.tasks.filter { $0.state == .failed }
        let record = try await self.record() ?? [:]
        if record.keys.contains(where: { $0.hasPrefix(FlowStep.value("")) }) {
            return try await retryFlow(record, in: store)
        }
        var failures: [(id: String, value: [UInt8], failure: WorkflowRecord.Failure)] = []
        let succeeded = Set(report.tasks.filter { $0.state == .succeeded }.map(\.id))
        for (name, value) in record.sorted(by: { $0.key < $1.key }) where name.hasPrefix(WorkflowRecord.Failure.prefix)
        {
            let task = String(name.dropFirst(WorkflowRecord.Failure.prefix.count))
            guard !succeeded.contains(task), let failure = WorkflowRecord.Failure(value) else { continue }
            failures.append((task, value, failure))
        }
        let kept = Set(failures.filter { $0.failure.message != nil || $0.failure.isBuried }.map(\.id))
        let lost = WorkflowSurvey.origins(of: report.nodes).filter { !kept.contains($0.id) }
        guard lost.isEmpty else {
            throw AppError(
                "workflow \(id) cannot go on from \(lost.map { "\($0.task)[\($0.id)]" }.joined(separator: ", ")): its message "
                    + "is not kept, since it ran on a Python worker or is larger than \(WorkflowRecord.Failure.largest) bytes"
            )
        }
        // What cannot be sent again is told before anything is changed.
        for (task, _, failure) in failures where kept.contains(task) {
            if let payload = failure.message { _ = try app.fresh(payload, id: task, queue: failure.queue) }
        }
        // First, so that whoever waits does not see the old failure. What is killed here goes on at the next call.
        for task in Set(failed.map(\.id)).union(kept) { try await app.results.forget(task) }
        var sent: [String] = []
        for (task, value, failure) in failures where kept.contains(task) {
            let name = WorkflowRecord.Failure.prefix + task
            if let payload = failure.message {
                let message = try app.fresh(payload, id: task, queue: failure.queue)
                guard try await store.take(name, value, of: id, writing: [.push(message)]) else { continue }
            } else {
                let isSent = try await app.operator.deadLetters.requeue(task)
                guard try await store.take(name, value, of: id, writing: []), isSent else { continue }
            }
            sent.append(task)
        }
        return sent
    }

    private func known() async throws -> WorkflowReport {
        guard let report = try await report() else {
            throw AppError(
                "nothing is known of a workflow \(id): it is over for more than a day, was sent by Python, or is no workflow; its "
                    + "id is that of its first task or group")
        }
        return report
    }

    private func record() async throws -> [String: [UInt8]]? {
        if let immediate = app.immediate { return try await immediate.store.power(.records)?.record(id) }
        return try await app.broker.with(.records).record(id)
    }
}

extension Chard {
    /// A way to a workflow whose id was kept, sent by any process: see ``AsyncResult/workflowID``.
    public func workflow(_ id: String) -> WorkflowResult { WorkflowResult(id: id, app: self) }

    /// The workflows that were sent last, the newest first: no more than 10,000 are known.
    public func workflows(limit: Int = 50) async throws -> [WorkflowReport] {
        guard let store = try recordStore else {
            throw AppError("\(try broker.location) keeps no records of workflows")
        }
        var reports: [WorkflowReport] = []
        for record in try await store.listRecords(limit: RecordChange.mostListed) {
            guard reports.count < limit else { break }
            if let report = try await workflow(record.id).report() { reports.append(report) }
        }
        return reports
    }

    /// The statuses that are stored of these tasks.
    func statuses(of ids: [String]) async throws -> [String: TaskStatus] {
        let store = try results
        return try await withThrowingTaskGroup(of: (String, TaskStatus?).self) { group in
            var rest = ids[...]
            func add() {
                guard let id = rest.popFirst() else { return }
                group.addTask { (id, try await store.status(of: id)) }
            }
            // So many questions under way as a connection carries well.
            for _ in 0..<64 { add() }
            var statuses: [String: TaskStatus] = [:]
            while let (id, status) = try await group.next() {
                statuses[id] = status
                add()
            }
            return statuses
        }
    }

    /// Since when tasks run, as far as their workers say so; Python's do not.
    func runningTasks() async throws -> [String: Date] {
        guard immediate == nil, let broker = try broker.power(.inspection) else { return [:] }
        let runs = try await broker.workers().flatMap { $0.vitals.running }
        return Dictionary(runs.map { ($0.id, Date(timeIntervalSince1970: $0.since)) }) { first, _ in first }
    }

    /// The message of a task that has failed, to run from its first attempt on.
    func fresh(_ payload: [UInt8], id: String, queue: String) throws(AppError) -> OutgoingMessage {
        guard let failed = try? TaskMessage(decoding: payload, limits: .held) else {
            return OutgoingMessage(id: id, queue: queue, payload: payload)
        }
        let message = try changed(failed.redelivered(losses: 0)) { message in
            message.headers[LossSeal.lostHeader] = nil
            message.retries = 0
            message.eta = nil
            message.expires = nil
        }
        return OutgoingMessage(
            id: message.id, queue: queue, priority: message.properties.priority, payload: message.encoded())
    }
}

extension WorkflowSurvey {
    /// The tasks that have failed by themselves: not for what was before them.
    static func origins(of nodes: [WorkflowReport.Node]) -> [WorkflowTask] {
        var origins: [WorkflowTask] = []
        for node in nodes {
            switch node {
            case .task(let task):
                guard task.state == .failed else { continue }
                return origins + [task]
            case .group(_, let members):
                let found = members.flatMap(origins(of:))
                if !found.isEmpty { return origins + found }
            case .sent(_, let nodes): origins += Self.origins(of: nodes)
            }
        }
        return origins
    }
}
