// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB
import Logging

/// All that happens on the engine's thread: transactions, heartbeats, timers, and the news for those who wait.
///
/// One thread writes for the whole process. What many callers leave while a transaction is being written makes up the next
/// one, so that they share its cost, most of which is waiting for the disk. Nothing that a task does can stop this thread.
final class EngineLoop {
    private struct Member {
        weak var consumer: SQLiteConsumer?
        var beatsAt: ContinuousClock.Instant
    }

    let settings: SQLiteSettings
    private let mailbox: Mailbox
    private let opened: OpenFile
    private let file: DatabaseFile
    private var log: WriteAheadLog
    private let logger: Logger

    private var identity: SystemFile.Identity?
    private var isSyncing: Bool?
    private var bell: Bell?
    private var isListening = false

    private var members: [Int64: Member] = [:]
    private var watchers = StatusWatchers()
    private var scheduleWatchers = ScheduleWatchers()
    private var version: Int64 = -1

    private var losses: LossWatch
    private var nextDue: Date?
    private var patrolsAt = ContinuousClock.now
    /// When another process was last found to have changed something.
    private var heardAt = ContinuousClock.now
    /// How soon after that is looked again. Schedules can wait.
    private var rest: Duration { members.isEmpty && watchers.isEmpty ? .milliseconds(50) : .milliseconds(2) }
    private var recoversAt = ContinuousClock.now
    /// When is tidied: from the opening of the file on, and for good where somebody here works.
    private var tidiesAt: ContinuousClock.Instant?

    init(
        _ location: SQLiteLocation, _ settings: SQLiteSettings, _ mailbox: Mailbox, _ opened: OpenFile, _ logger: Logger
    ) {
        self.settings = settings
        self.mailbox = mailbox
        self.opened = opened
        self.logger = logger
        file = DatabaseFile(location: location, settings: settings)
        log = WriteAheadLog(path: location.log, wait: file.wait)
        losses = LossWatch(lease: settings.lease)
    }

    /// Works until the mailbox is stopped.
    func run() {
        while true {
            let mail = mailbox.take(until: nextDeadline)
            perform(mail.jobs + dueJobs())
            if mail.hasRung { patrolsAt = min(patrolsAt, max(.now, heardAt + rest)) }
            if isNeeded, patrolsAt <= .now { patrol() }
            if !members.isEmpty, recoversAt <= .now { recover() }
            if mail.isStopped { return close() }
            if let tidiesAt, tidiesAt <= .now { tidy() }
        }
    }

    /// Whether anybody here waits for what others do.
    private var isNeeded: Bool { !members.isEmpty || !watchers.isEmpty || !scheduleWatchers.isEmpty }

    private var nextDeadline: ContinuousClock.Instant? {
        guard isNeeded else { return tidiesAt }
        var next = min(patrolsAt, tidiesAt ?? patrolsAt)
        guard !members.isEmpty else { return next }
        next = min(next, recoversAt)
        for member in members.values { next = min(next, member.beatsAt) }
        if let nextDue { next = min(next, .now + .seconds(max(0, nextDue.timeIntervalSinceNow))) }
        return next
    }

    // MARK: The file

    private func open() throws(BrokerError) -> DatabasePool {
        if let pool = opened.pool {
            if SystemFile(file.location.path).identity == identity { return pool }
            logger.error(
                "the file was replaced or deleted while it was in use", metadata: ["path": "\(file.location.path)"])
            abandon()
        }
        let pool = try file.open()
        identity = SystemFile(file.location.path).identity
        isSyncing = nil
        bell = Bell(file.location.bell)
        isListening = false
        version = -1
        watchers.forgetWhatWasTold()
        scheduleWatchers.forgetWhatWasTold()
        opened.pool = pool
        // Not before the caller has what it wants, and in slices: a first command does not wait for it.
        tidiesAt = .now
        if isNeeded { listen() }
        return pool
    }

    /// Leaves a file that is not at its path any more: nothing in it is ours to settle.
    private func abandon() {
        opened.pool = nil
        tidiesAt = nil
        for member in members.values { member.consumer?.lose(handingBack: false) }
        members = [:]
    }

    private func close() {
        abandon()
        watchers.fail(BrokerError(.closed, "the broker was shut down"))
        bell = nil
    }

    /// Begins to wait for what other processes tell.
    private func listen() {
        guard !isListening, let bell else { return }
        isListening = bell.listen { [mailbox] in mailbox.ring() }
        if !isListening { logger.debug("changes are looked for, since the system does not tell of them") }
    }

    @discardableResult
    private func whenOpen<Value>(_ body: (Database) throws -> Value) -> Value? {
        guard let pool = opened.pool else { return nil }
        do {
            return try pool.writeWithoutTransaction(body)
        } catch {
            logger.debug("the file could not be looked at", metadata: ["error": "\(BrokerError(error, at: pool.path))"])
            return nil
        }
    }

    // MARK: Transactions

    /// Does all jobs in one transaction; where that fails, each in one of its own, so that nobody fails for another's
    /// sake.
    func perform(_ jobs: [Job]) {
        guard !jobs.isEmpty else { return }
        do throws(BrokerError) {
            let pool = try open()
            do {
                try commit(jobs, to: pool)
            } catch {
                // A file that is locked is so for all of them; each trying by itself would only take longer.
                let trouble = BrokerError(error, at: pool.path)
                guard jobs.count > 1, trouble.code != .unavailable else { throw trouble }
                for job in jobs { perform([job]) }
            }
        } catch {
            for job in jobs { job.fail(error) }
        }
    }

    private func commit(_ jobs: [Job], to pool: DatabasePool) throws {
        let isDurable = settings.synchronous == .full && jobs.contains(where: \.isDurable)
        var afterwards: [Job.Afterwards] = []
        let news = try pool.writeWithoutTransaction { db in
            if db.isInsideTransaction { try db.rollback() }
            if isSyncing != isDurable {
                try db.run(isDurable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
                isSyncing = isDurable
            }
            try db.run("BEGIN IMMEDIATE TRANSACTION")
            do {
                var transaction = Transaction(db, settings: settings)
                for job in jobs { afterwards.append(try job.perform(&transaction)) }
                try transaction.finish()
                try db.run("COMMIT TRANSACTION")
                log.limit(db)
                return transaction.news
            } catch {
                try? db.rollback()
                throw error
            }
        }
        for step in afterwards { step(self) }
        tell(news)
    }

    /// Tells those who wait, here and in other processes.
    private func tell(_ news: News) {
        guard news.isWorthTelling else { return }
        bell?.ring()
        if let due = news.due { nextDue = min(nextDue ?? due, due) }
        if !news.work.isEmpty {
            for member in members.values { member.consumer?.hear(of: news.work) }
        }
        if news.hasOrders { tellOrders() }
        if news.hasStatuses { pushStatuses() }
        if news.hasSchedules { pushSchedules() }
    }

    // MARK: Timers

    private func dueJobs() -> [Job] {
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

    private var promotion: Job {
        Job(isDurable: false) { transaction in
            let hasMore = try transaction.promote(atMost: 1_000)
            return { loop in
                if hasMore { loop.nextDue = .distantPast } else { loop.learnDue() }
            }
        } fail: { _ in
            // The next patrol finds it still due.
        }
    }

    private func learnDue() {
        nextDue = whenOpen { db in try db.value(Double.self, "SELECT min(due) FROM scheduled") }.flatMap { $0 }
            .map { Date(timeIntervalSince1970: $0) }
    }

    /// A heartbeat was written that began at `start`.
    func hasBeaten(_ number: Int64, at start: ContinuousClock.Instant) {
        members[number]?.beatsAt = start + settings.heartbeat
    }

    // MARK: Patrol

    /// Looks whether another process has changed what somebody here waits for.
    private func patrol() {
        let now = ContinuousClock.now
        patrolsAt = now + (isListening ? settings.patrol : min(settings.patrol, .milliseconds(25)))
        if let pool = opened.pool, SystemFile(pool.path).identity != identity { return abandon() }
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

    private func tellOrders() {
        for consumer in members.values.compactMap(\.consumer) {
            let known = consumer.orders
            let news = whenOpen { db in try Orders.news(db, since: known, now: Date().timeIntervalSince1970) }
            if let news = news.flatMap({ $0 }) { consumer.learn(news.orders, terminated: news.terminated) }
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

    private func pushStatuses() {
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

    private func pushSchedules() {
        if !scheduleWatchers.isEmpty { whenOpen { db in try scheduleWatchers.tell(db) } }
    }

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
    private func recover() {
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
                    let count = try transaction.recover(number, silentSince: beat)
                    return { loop in
                        guard let count, count > 0 else { return }
                        loop.logger.notice("a lost worker's tasks were given back", metadata: ["count": "\(count)"])
                    }
                } fail: { [logger] error in
                    logger.debug("recovery was cut short", metadata: ["error": "\(error)"])
                }
            ])
        }
    }

    // MARK: Tidying

    /// Deletes a slice of what has had its time, and gives back a slice of the pages that are free.
    private func tidy() {
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
    private func tidyAgain() {
        tidiesAt = .now + .milliseconds(20)
    }
}
