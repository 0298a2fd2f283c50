// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB
import Logging

/// What the engine does at certain times, without being asked.
extension EngineLoop {
    // MARK: Timers

    func dueJobs() -> [Job] {
        let now = ContinuousClock.now
        var jobs: [Job] = []
        for (number, member) in members where member.beatsAt <= now {
            guard let beat = member.hold?.beat(at: now) else {
                members[number] = nil
                continue
            }
            // In case this one cannot be written; once it is, the next is a full interval away.
            members[number]?.beatsAt = now + min(settings.heartbeat / 3, .seconds(1))
            jobs.append(beat)
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
        nextDue = whenOpen(StoredMessage.nextDue) ?? nil
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
        let present = whenOpen { db in try db.value(Int64.self, "PRAGMA data_version") } ?? nil
        guard let present else { return }
        defer { version = present }
        if !members.isEmpty, nextDue == nil || present != version { learnDue() }
        guard present != version else { return }
        heardAt = now
        tellOrders()
        pushStatuses()
        pushSchedules()
        let waiting = holds.filter(\.isIdle)
        guard !waiting.isEmpty else { return }
        for queue in Set(waiting.flatMap(\.queues)) {
            guard whenOpen({ db in try StoredMessage.waits(db, in: queue) }) == true else { continue }
            for hold in waiting { hold.hear(of: [queue]) }
        }
    }

    func tellOrders() {
        for hold in holds {
            let known = hold.orders
            let news = whenOpen { db in try KnownOrders.news(db, since: known, now: Date().timeIntervalSince1970) }
            if let news = news ?? nil { hold.learn(news.orders, terminated: news.terminated) }
        }
    }

    // MARK: Tidying

    /// Deletes a slice of what has expired, and gives back a slice of the pages that are free.
    func tidy() {
        tidiesAt = nil
        let now = Date()
        let hasWaste = whenOpen { db in
            try Transaction.hasWaste(
                db, now: now, letters: settings.deadLetterTimeToLive, history: settings.history.timeToLive)
        }
        if hasWaste == true {
            perform([
                Job(isDurable: false) { transaction in
                    let hasMore = try transaction.tidy()
                    return { loop in if hasMore { loop.tidyAgain() } }
                } fail: { _ in
                    // Tried again the next time.
                }
            ])
        }
        if whenOpen(Transaction.shrink) == true { tidyAgain() }
        // A process without consumers tidies once, after it has opened the file.
        guard tidiesAt == nil, !members.isEmpty else { return }
        whenOpen { db in log.empty(db, at: file.location.log) }
        tidiesAt = .now + settings.tidying * Double.random(in: 0.5...1)
    }

    /// Goes on after a pause, in which others can write.
    func tidyAgain() {
        tidiesAt = .now + .milliseconds(20)
    }
}
