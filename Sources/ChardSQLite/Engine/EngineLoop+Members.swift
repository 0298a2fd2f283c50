// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging

/// Those the engine works for: the holds of consumers, and who waits for statuses and schedules.
extension EngineLoop {
    // MARK: Holds

    func add(_ hold: Hold) {
        if members.isEmpty {
            recoversAt = .now
            patrolsAt = .now
            tidiesAt = tidiesAt ?? .now
        }
        members[hold.number] = Member(hold: hold, beatsAt: .now + settings.heartbeat)
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
            try StoredHolder.signs(db).filter { members[$0.number] == nil }
        }
        guard let others else { return }
        let beats = Dictionary(uniqueKeysWithValues: others.map { ($0.number, $0.beat) })
        let silent = losses.looks(at: now, beats: beats)
        let lost = others.filter { silent.contains($0.number) || bell?.isFree($0.lock) == true }
        for holder in lost { perform([recovery(of: holder)]) }
    }

    private func recovery(of holder: StoredHolder) -> Job {
        let lifetimes = holds.first?.statusLifetimes ?? .default
        return Job(isDurable: true) { transaction in
            let recovered = try transaction.recover(
                holder.number, silentSince: holder.beat, lifetimes: lifetimes)
            return { loop in
                guard recovered.count > 0 else { return }
                loop.logger.notice(
                    "a lost worker's tasks were given back",
                    metadata: [
                        LogKey.node: "\(recovered.node)", LogKey.count: "\(recovered.count)",
                        LogKey.taskIDs: "\(LogKey.list(recovered.ids))",
                    ])
                if !recovered.buried.isEmpty { loop.holds.first?.tellBuried(recovered.buried) }
            }
        } fail: { [logger] error in
            logger.debug("recovery was cut short", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Statuses

    /// Tells `listener` the stored status, then each new one. Returns the listener's number.
    func watch(_ id: String, _ listener: @escaping StatusListener) -> Int? {
        let number = whenOpen { db in try watchers.add(id, listener, db) }
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
