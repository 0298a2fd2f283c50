// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension Facts {
    /// Which queues workers serve: Swift's by their heartbeats, Python's as far as they have answered.
    func served() async throws -> Set<String> {
        let swift = try await workers.value().flatMap(\.queues)
        return Set(swift + (await remoteWorkers.value() ?? []).flatMap(\.queues))
    }

    /// Python's workers, as far as they have answered.
    func pythonWorkers() async throws -> [RemoteWorker] {
        let swift = Set(try await workers.value().map(\.node))
        return (await remoteWorkers.value() ?? []).filter { !$0.isSwift && !swift.contains($0.node) }
    }

    /// Whether Python's workers were asked and have not answered yet.
    var isAskingWorkers: Bool {
        get async { await remoteWorkers.value() == nil && `operator`.remote.isCarried }
    }

    /// The dead letters of the last hour, of the newest thousand.
    func freshLetters() async throws -> [DeadLetterSummary] {
        guard try await queues.value().contains(where: { $0.dead > 0 }) else { return [] }
        let now = app.settings.now()
        return try await letters.value().filter { now.timeIntervalSince($0.letter.diedAt) < 3_600 }
    }

    /// What somebody should look at.
    func alarms() async throws -> [Alarm] {
        var scene = Alarm.Scene(now: app.settings.now())
        scene.queues = try await queues.value()
        scene.served = try await served()
        let remote = await remoteWorkers.value()
        let isAsking = await isAskingWorkers
        // Nobody is missed before all had time to answer.
        if isAsking { scene.served.formUnion(scene.queues.map(\.queue)) }
        scene.isAnybodyAlive = try await !workers.value().isEmpty || !(remote ?? []).isEmpty || isAsking
        scene.trend = await trends.trend
        scene.tally = try await history.look().tally
        scene.freshLetters = try await freshLetters()
        if (try? app.broker.power(.schedules) != nil) == true {
            let (records, beats, _) = try await schedules.value()
            if beats == 0 { scene.idleSchedules = records.filter(\.isActive).map(\.name) }
        }
        return scene.alarms
    }
}
