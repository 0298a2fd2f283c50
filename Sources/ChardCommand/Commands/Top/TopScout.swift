// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Looks at a broker again and again, and remembers what was.
actor TopScout {
    private let app: Chard
    private let reader: HistoryReader
    private var trend = QueueTrend()
    private var remote: (workers: [RemoteWorker], at: ContinuousClock.Instant)?

    init(_ app: Chard) {
        self.app = app
        reader = HistoryReader(app, interval: .milliseconds(100))
    }

    /// What is to be seen now.
    func look(patience: Duration) async throws -> TopView {
        let `operator` = app.operator
        let now = app.settings.now()
        let queues = try await `operator`.queues.reports()
        let workers = try await `operator`.workers()
        trend.note(queues, at: now)
        let others = try await remoteWorkers()
        let history = try await reader.look(patience: patience)
        let known = Set(workers.map(\.node))
        var scene = Alarm.Scene(now: now)
        scene.queues = queues
        scene.served = Set(workers.flatMap(\.queues) + others.flatMap(\.queues))
        scene.isAnybodyAlive = !workers.isEmpty || !others.isEmpty
        scene.trend = trend
        scene.tally = history.tally
        if queues.contains(where: { $0.dead > 0 }) {
            scene.freshLetters = try await `operator`.deadLetters.summaries(limit: 1_000).filter {
                now.timeIntervalSince($0.letter.diedAt) < 3_600
            }
        }
        if try app.broker.power(.schedules) != nil, try await `operator`.schedules.beats() == 0 {
            scene.idleSchedules = try await `operator`.schedules.list().filter(\.isActive).map(\.name)
        }
        return TopView(
            location: try app.broker.location, scene: scene, workers: workers,
            python: others.filter { !$0.isSwift && !known.contains($0.node) }, history: history)
    }

    /// What workers say of themselves, asked every ten seconds.
    private func remoteWorkers() async throws -> [RemoteWorker] {
        if let remote, remote.at.duration(to: .now) < .seconds(10) { return remote.workers }
        let workers = try await app.operator.remote.workers(patience: .milliseconds(500))
        remote = (workers, .now)
        return workers
    }
}
