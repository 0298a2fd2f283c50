// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB
import Logging

/// All that happens on the engine's thread: transactions, heartbeats, timers, and the news for those who wait.
///
/// One thread writes for the whole process. What many callers leave while a transaction is being written makes up the next
/// one, so that they share its cost, most of which is waiting for the disk. It is no thread of Swift's pool, so no task can block it.
/// A caller that is alone may take its place for a moment, see ``EngineThread``.
final class EngineLoop {
    struct Member {
        /// Weak, since a consumer that nobody closes goes away with its holder: then its heartbeats end.
        weak var hold: Hold?
        var beatsAt: ContinuousClock.Instant
    }

    let settings: SQLiteSettings
    private let inbox: Inbox
    private var pace = Pace()
    let opened: OpenFile
    let file: DatabaseFile
    var log: WriteAheadLog
    let logger: Logger

    private var isSyncing: Bool?
    var bell: Bell?
    var isListening = false

    var members: [Int64: Member] = [:]
    var watchers = StatusWatchers()
    var scheduleWatchers = ScheduleWatchers()
    var version: Int64 = -1

    var losses: LossWatch
    var nextDue: Date?
    var patrolsAt = ContinuousClock.now
    /// When another process was last found to have changed something.
    var heardAt = ContinuousClock.now
    /// How long to wait after that before looking again, where others change something all the time: for schedules alone
    /// there is no hurry.
    private var rest: Duration { members.isEmpty && watchers.isEmpty ? .milliseconds(50) : .milliseconds(2) }
    var recoversAt = ContinuousClock.now
    /// When to delete next what has expired: after the file was opened and, where consumers are, again and again.
    var tidiesAt: ContinuousClock.Instant?

    init(
        _ location: SQLiteLocation, _ settings: SQLiteSettings, _ inbox: Inbox, _ opened: OpenFile, _ logger: Logger
    ) {
        self.settings = settings
        self.inbox = inbox
        self.opened = opened
        self.logger = logger
        file = DatabaseFile(location: location, settings: settings)
        log = WriteAheadLog(pages: file.pages, wait: file.wait)
        losses = LossWatch(lease: settings.lease, interval: settings.recovery, began: .now)
    }

    /// Does what has come, and what is due. Returns `false` once the inbox is stopped.
    func round(_ content: Inbox.Content) -> Bool {
        perform(content.jobs + dueJobs())
        if content.hasRung { patrolsAt = min(patrolsAt, max(.now, heardAt + rest)) }
        if isNeeded, patrolsAt <= .now { patrol() }
        if !members.isEmpty, recoversAt <= .now { recover() }
        if content.isStopped {
            close()
            return false
        }
        if log.isLong { whenOpen { log.limit($0) } }
        if let tidiesAt, tidiesAt <= .now { tidy() }
        return true
    }

    /// The holds that somebody refers to.
    var holds: [Hold] { members.values.compactMap(\.hold) }

    /// Whether anybody here waits for what others do.
    private var isNeeded: Bool { !members.isEmpty || !watchers.isEmpty || !scheduleWatchers.isEmpty }

    /// When there is something to do without being asked.
    var nextDeadline: ContinuousClock.Instant? {
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
        if opened.pool != nil {
            if let pool = opened.present { return pool }
            logger.error(
                "the file was replaced or deleted while it was in use", metadata: ["path": "\(file.location.path)"])
            abandon()
        }
        let pool = try file.open()
        isSyncing = nil
        bell = Bell(file.location.bell)
        isListening = false
        version = -1
        watchers.forgetWhatWasTold()
        scheduleWatchers.forgetWhatWasTold()
        opened.opened(pool)
        // On the loop's next round: the first command is answered before.
        tidiesAt = .now
        if isNeeded { listen() }
        return pool
    }

    /// Leaves a file that is not at its path any more: what is leased in it can no longer be settled.
    func abandon() {
        opened.abandon()
        tidiesAt = nil
        for hold in holds { hold.close() }
        members = [:]
    }

    private func close() {
        abandon()
        watchers.fail(BrokerError(.closed, "the broker was shut down"))
        bell = nil
    }

    /// Begins to wait for what other processes tell.
    func listen() {
        guard !isListening, let bell else { return }
        isListening = bell.listen { [inbox] in inbox.ring() }
        if !isListening { logger.debug("changes are looked for, since the system does not tell of them") }
    }

    @discardableResult
    func whenOpen<Value>(_ body: (Database) throws -> Value) -> Value? {
        guard let pool = opened.pool else { return nil }
        do {
            return try pool.writeWithoutTransaction(body)
        } catch {
            logger.debug("the file could not be looked at", metadata: ["error": "\(BrokerError(error, at: pool.path))"])
            return nil
        }
    }

    // MARK: Transactions

    /// Does all jobs in one transaction; where that fails, each in one of its own, so that only those fail that cannot be
    /// done.
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

    /// Does a job in the thread of its caller. Returns `false` where that is for the engine's thread: it would take long, others
    /// are in the way, or something is wrong.
    func performAtOnce(_ job: Job) -> Bool {
        guard pace.isQuick, let pool = opened.present else { return false }
        let due = nextDue
        do {
            try file.wait.atMost(.zero) { try commit([job], to: pool) }
        } catch {
            return false
        }
        if nextDue != due || log.isLong { inbox.ring() }
        return true
    }

    private func commit(_ jobs: [Job], to pool: DatabasePool) throws {
        let isDurable = settings.synchronous == .full && jobs.contains(where: \.isDurable)
        var afterwards: [Job.Afterwards] = []
        let start = ContinuousClock.now
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
                return transaction.news
            } catch {
                try? db.rollback()
                throw error
            }
        }
        pace.took(.now - start)
        for step in afterwards { step(self) }
        tell(news)
    }

    /// Tells those who wait, here and in other processes.
    func tell(_ news: News) {
        guard news.isWorthTelling else { return }
        bell?.ring()
        if let due = news.due { nextDue = min(nextDue ?? due, due) }
        if !news.work.isEmpty {
            for hold in holds { hold.hear(of: news.work) }
        }
        if news.hasOrders { tellOrders() }
        if news.hasStatuses { pushStatuses() }
        if news.hasSchedules { pushSchedules() }
    }
}
