// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB
import Logging

/// What the engine does by the time, without being asked.
extension EngineLoop {
    // MARK: Timers

    func dueJobs() -> [Job] {
        let now = ContinuousClock.now
        var jobs: [Job] = []
        for (number, member) in members where member.beatsAt <= now {
            guard let consumer = member.consumer, consumer.isHeld() else {
                members[number] = nil
                continue
            }
            // Sooner where this one cannot be written.
            members[number]?.beatsAt = now + min(settings.heartbeat / 3, .seconds(1))
            jobs.append(consumer.beat(at: now))
        }
        if !members.isEmpty, let due = nextDue, due.timeIntervalSinceNow <= 0 {
            nextDue = nil
            jobs.append(promotion)
        }
        return jobs
    }

    var promotion: Job {
        Job(isDurable: false) { transaction in
            let hasMore = try transaction.promote(atMost: 1_000)
            return { loop in
                if hasMore { loop.nextDue = .distantPast } else { loop.learnDue() }
            }
        } fail: { _ in
            // The next patrol finds it still due.
        }
    }

    func learnDue() {
        nextDue = whenOpen { db in try db.value(Double.self, "SELECT min(due) FROM scheduled") }.flatMap { $0 }
            .map { Date(timeIntervalSince1970: $0) }
    }

    /// A heartbeat was written that began at `start`.
    func hasBeaten(_ number: Int64, at start: ContinuousClock.Instant) {
        members[number]?.beatsAt = start + settings.heartbeat
    }

    // MARK: Patrol

    /// Looks whether another process has changed what somebody here waits for.
    func patrol() {
        let now = ContinuousClock.now
        patrolsAt = now + (isListening ? settings.patrol : min(settings.patrol, .milliseconds(25)))
        if opened.present == nil {
            abandon()
            // Whoever waits for statuses, or for schedules, goes on waiting in the file that took its place.
            guard SystemFile(file.location.path).exists else { return }
            perform([.nothing])
        }
        let present = whenOpen { db in try db.value(Int64.self, "PRAGMA data_version") }.flatMap { $0 }
        guard let present else { return }
        defer { version = present }
        if !members.isEmpty, nextDue == nil || present != version { learnDue() }
        guard present != version else { return }
        heardAt = now
        tellOrders()
        pushStatuses()
        pushSchedules()
        let waiting = members.values.compactMap(\.consumer).filter(\.isIdle)
        guard !waiting.isEmpty else { return }
        for queue in Set(waiting.flatMap(\.queues)) {
            let hasWork = whenOpen { db in try db.exists("SELECT 1 FROM waiting WHERE queue = ? LIMIT 1", queue) }
            guard hasWork == true else { continue }
            for consumer in waiting { consumer.hear(of: [queue]) }
        }
    }

    func tellOrders() {
        for consumer in members.values.compactMap(\.consumer) {
            let known = consumer.orders
            let news = whenOpen { db in try Orders.news(db, since: known, now: Date().timeIntervalSince1970) }
            if let news = news.flatMap({ $0 }) { consumer.learn(news.orders, terminated: news.terminated) }
        }
    }

    // MARK: Tidying

    /// Deletes a slice of what has had its time, and gives back a slice of the pages that are free.
    func tidy() {
        tidiesAt = nil
        let now = Date()
        let hasWaste = whenOpen { db in
            try Transaction.hasWaste(db, now: now, letters: settings.deadLetterTimeToLive)
        }
        if hasWaste == true {
            perform([
                Job(isDurable: false) { transaction in
                    let hasMore = try transaction.tidy()
                    return { loop in if hasMore { loop.tidyAgain() } }
                } fail: { _ in
                    // It will be there the next time.
                }
            ])
        }
        if whenOpen(Transaction.shrink) == true { tidyAgain() }
        // Somebody who only sends has done enough.
        guard tidiesAt == nil, !members.isEmpty else { return }
        whenOpen(log.empty)
        tidiesAt = .now + settings.tidying * Double.random(in: 0.5...1)
    }

    /// After a moment that belongs to the others.
    func tidyAgain() {
        tidiesAt = .now + .milliseconds(20)
    }
}
