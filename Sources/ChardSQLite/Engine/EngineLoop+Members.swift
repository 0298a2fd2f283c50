// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB
import Logging

/// Those the engine works for: consumers, and who waits for statuses and schedules.
extension EngineLoop {
    // MARK: Consumers

    func add(_ consumer: SQLiteConsumer) {
        if members.isEmpty {
            recoversAt = .now
            patrolsAt = .now
            tidiesAt = tidiesAt ?? .now
        }
        members[consumer.number] = Member(consumer: consumer, beatsAt: .now + settings.heartbeat)
        listen()
    }

    func remove(_ number: Int64) {
        members[number] = nil
    }

    /// Gives back what lost processes held.
    func recover() {
        let now = ContinuousClock.now
        recoversAt = now + settings.recovery
        let others = whenOpen { db in
            try Row.fetchAll(db.cachedStatement(sql: "SELECT number, beat, file, place FROM holder"))
                .filter { members[$0[0]] == nil }
        }
        guard let others else { return }
        let beats = Dictionary(uniqueKeysWithValues: others.map { ($0[0] as Int64, $0[1] as Int64) })
        let silent = losses.looked(at: now, beats: beats)
        let lost = others.filter { row in
            silent.contains(row[0]) || row[2] == bell?.file && bell?.isFree(row[3]) == true
        }
        for row in lost {
            let number: Int64 = row[0]
            let beat: Int64 = row[1]
            perform([
                Job(isDurable: true) { transaction in
                    let recovered = try transaction.recover(number, silentSince: beat)
                    return { loop in
                        guard recovered.count > 0 else { return }
                        loop.logger.notice(
                            "a lost worker's tasks were given back", metadata: ["count": "\(recovered.count)"])
                        guard !recovered.buried.isEmpty else { return }
                        loop.members.values.lazy.compactMap(\.consumer).first?.tellBuried(recovered.buried)
                    }
                } fail: { [logger] error in
                    logger.debug("recovery was cut short", metadata: ["error": "\(error)"])
                }
            ])
        }
    }

    // MARK: Statuses

    /// Calls `watcher` with the stored status and with each new one. Returns the watcher's number.
    func watch(_ id: String, _ watcher: @escaping StatusWatchers.Watcher) -> Int? {
        let number = whenOpen { db in try watchers.add(id, watcher, db) }
        listen()
        return number
    }

    func unwatch(_ id: String, _ number: Int) {
        watchers.remove(id, number)
    }

    func pushStatuses() {
        if !watchers.isEmpty { whenOpen { db in try watchers.tell(db) } }
    }

    // MARK: Schedules

    func watchSchedules(_ name: String, _ watcher: @escaping @Sendable () -> Void) {
        whenOpen { db in try scheduleWatchers.add(name, watcher, db) }
        listen()
    }

    func unwatchSchedules(_ name: String) {
        scheduleWatchers.remove(name)
    }

    func pushSchedules() {
        if !scheduleWatchers.isEmpty { whenOpen { db in try scheduleWatchers.tell(db) } }
    }
}
