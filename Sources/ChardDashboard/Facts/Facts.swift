// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// What the dashboard knows of the broker: asked for when somebody looks, and once for all who do.
struct Facts: Sendable {
    let app: Chard
    /// Whether the arguments and results of tasks may be seen.
    let showsArguments: Bool
    /// The queues, and what is in them.
    let queues: Shared<[QueueReport]>
    /// The workers that are alive.
    let workers: Shared<[WorkerReport]>
    /// What `doctor` says.
    let findings: Background<[Finding]>
    /// What the history comes to.
    let history: HistoryReader
    /// How queues were filled of late.
    let trends = TrendKeeper()
    /// What workers say of themselves by remote control: Python's are known by nothing else.
    let remoteWorkers: Background<[RemoteWorker]>
    /// The newest dead letters.
    let letters: Shared<[DeadLetterSummary]>
    /// The schedules, and how many beats there are, where that is known.
    let schedules: Shared<(records: [ScheduleRecord], beats: Int?, now: Date)>
    /// The workflows that were sent last, by how many are asked for.
    let workflows = SharedTable<[WorkflowReport]>(maxAge: .seconds(2))
    /// The last attempts that are over.
    let attempts: RecentAttempts
    /// What is being done to many tasks at once.
    let batches = Batches()
    /// The data of pages, by their addresses.
    let documents = SharedTable<JSON>(maxAge: .seconds(1))

    var `operator`: Operator { app.operator }

    init(_ app: Chard, showsArguments: Bool) {
        self.app = app
        self.showsArguments = showsArguments
        attempts = RecentAttempts(app)
        let trends = trends
        queues = Shared(maxAge: .seconds(1)) {
            let reports = try await app.operator.queues.reports()
            await trends.note(reports, at: app.settings.now())
            return reports
        }
        workers = Shared(maxAge: .seconds(1)) { try await app.operator.workers() }
        findings = Background(maxAge: .seconds(15)) { try await app.operator.diagnose() }
        history = HistoryReader(app)
        remoteWorkers = Background(maxAge: .seconds(10)) {
            try await app.operator.remote.workers(patience: .milliseconds(800))
        }
        letters = Shared(maxAge: .seconds(15)) { try await app.operator.deadLetters.summaries(limit: 1_000) }
        schedules = Shared(maxAge: .seconds(2)) {
            let schedules = app.operator.schedules
            return (try await schedules.list(), try await schedules.beats(), try await schedules.now())
        }
    }

    /// Forgets everything: something was changed, and whoever changed it looks at it next.
    func forget() async {
        await queues.forget()
        await workers.forget()
        await findings.refresh()
        await remoteWorkers.refresh()
        await letters.forget()
        await schedules.forget()
        await workflows.forget()
        await attempts.forget()
        await documents.forget()
    }
}
