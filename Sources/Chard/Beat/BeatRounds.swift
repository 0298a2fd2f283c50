// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging

/// One scheduler's knowledge of the schedules, and what it does with it, round by round: whatever is due now is sent.
package struct BeatRounds {
    private let app: Chard
    private let store: any ScheduleStore
    private let signal: Signal
    private let logger: Logger
    private let database = TimeZoneDatabase.system
    private var board: ScheduleBoard?
    /// Whether the broker has said that a schedule is not what the board says.
    private var isOutdated = false
    /// Who waits for the end of a task, by schedule.
    private var waits: [String: Wait] = [:]

    /// Fires a signal when a task has ended; ends with this value.
    private final class Wait: Sendable {
        let taskID: String
        private let task: Task<Void, Never>

        init(for taskID: String, in results: any ResultStore, _ signal: Signal) {
            self.taskID = taskID
            task = Task {
                // Where the stream breaks, the next look at the broker finds out.
                do {
                    for try await status in results.statuses(of: taskID) where status.state.isReady { break }
                } catch {}
                if !Task.isCancelled { signal.fire() }
            }
        }

        deinit { task.cancel() }
    }

    /// Makes a scheduler that knows nothing yet; `signal` is fired when a round is due before its time.
    package init(app: Chard, store: any ScheduleStore, signal: Signal = Signal(), logger: Logger) {
        self.app = app
        self.store = store
        self.signal = signal
        self.logger = logger
    }

    /// Makes a scheduler for rounds by hand, and makes the app's schedules known.
    package init(registering app: Chard, in store: any ScheduleStore) async throws {
        try await app.registerSchedules()
        self.init(app: app, store: store, logger: Logger(label: "chard.beat"))
    }

    /// Sends what is due. Returns the time by the broker's clock, and when the next tick is, if there will be one.
    package mutating func round() async throws -> (now: Date, next: Date?) {
        let (revision, now) = try await store.scheduleRevision()
        if isOutdated || revision != board?.revision {
            // Counted back: the broker has lost what it knew.
            if let board, revision < board.revision { try await app.registerSchedules() }
            board = try await store.schedules()
            isOutdated = false
            for damage in (board?.records ?? []).compactMap(\.damage) {
                logger.error("a schedule is left out", metadata: ["error": "\(damage)"])
            }
        }
        var records = board?.records ?? []
        waits = waits.filter { name, wait in records.contains { $0.name == name && $0.progress.taskID == wait.taskID } }
        var next: Int?
        for index in records.indices {
            guard let due = try await deal(with: &records[index], now: now.milliseconds) else { continue }
            next = min(next ?? due, due)
        }
        board?.records = records
        return (now, next.map(Date.init(milliseconds:)))
    }

    /// Deals with what is due of one schedule. Returns when to come back for it.
    private mutating func deal(with record: inout ScheduleRecord, now: Int) async throws -> Int? {
        guard record.isActive, let schedule = record.schedule else { return nil }
        do {
            if record.progress.isAhead(of: now), try await !turnBack(&record, now: now) {
                isOutdated = true
                return now
            }
            while true {
                let isWaiting = waits[record.name] != nil
                switch try schedule.due(after: record.progress.last, now: now, waited: isWaiting, database) {
                case .never: return nil
                case .later(let due): return due
                case .now(var send, let upTo, var dropped):
                    if let until = try await unfinished(schedule, record.progress, now: now) {
                        if schedule.overlap == .wait { return until }
                        dropped += send.count
                        send = []
                    }
                    let receipt = try await take(send, upTo, dropped, of: schedule, &record, now: now)
                    if receipt == .changed {
                        // Whatever it is now is read in the next round.
                        isOutdated = true
                        return now
                    }
                    if receipt == .early { return upTo + schedule.delay(of: upTo) }
                    waits[record.name] = nil
                }
            }
        } catch let error as BrokerError where error.isRetryable {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            // One schedule that cannot be kept must not keep the others waiting.
            logger.error("a tick could not be sent", metadata: ["schedule": "\(record.name)", "error": "\(error)"])
            return nil
        }
    }

    /// Lets ticks go on from now, the broker's clock having been ahead when the last one was dealt with. Returns whether that
    /// was done, by whomever.
    private func turnBack(_ record: inout ScheduleRecord, now: Int) async throws -> Bool {
        let ahead = record.progress.last - now
        let step = TickStep(
            name: record.name, version: record.version, last: record.progress.last, upTo: now, notBefore: now,
            messages: [], dropped: 0)
        switch try await store.send(step) {
        case .done:
            logger.warning(
                "the broker's clock was set back; ticks go on from its present time",
                metadata: ["schedule": "\(record.name)", "seconds": "\(ahead / 1000)"])
            record.progress = record.progress.after(step, at: now)
        case .overtaken(let progress) where !progress.isAhead(of: now): record.progress = progress
        default: return false
        }
        return true
    }

    private func take(
        _ send: [Int], _ upTo: Int, _ dropped: Int, of schedule: Schedule, _ record: inout ScheduleRecord, now: Int
    ) async throws -> TickReceipt {
        let messages = try send.map {
            try app.message(of: schedule, tick: $0, id: TaskID.of(tick: $0, schedule: schedule.name))
        }
        var step = TickStep(
            name: record.name, version: record.version, last: record.progress.last, upTo: upTo,
            notBefore: upTo + schedule.delay(of: upTo), messages: [], dropped: dropped)
        let receipt: TickReceipt
        if messages.isEmpty {
            receipt = try await store.send(step)
        } else {
            let enqueued = try await app.send(messages, through: app.middleware[...]) { [store, step, app] messages in
                try await store.send(step, with: messages, signedBy: app.signing, now: Date(milliseconds: now))
            }
            guard let answer = enqueued.receipt else { throw AppError("middleware has sent nothing") }
            receipt = answer
            step.messages = enqueued.messages.map(\.outgoing)
        }
        switch receipt {
        case .done:
            record.progress = record.progress.after(step, at: now)
            logger.debug(
                "ticks sent",
                metadata: ["schedule": "\(record.name)", LogKey.taskIDs: "\(LogKey.list(messages.map(\.id)))"])
            if dropped > 0 {
                logger.notice("ticks dropped", metadata: ["schedule": "\(record.name)", "count": "\(dropped)"])
            }
        case .overtaken(let progress): record.progress = progress
        default: break
        }
        return receipt
    }

    /// Until when a tick may have to wait for the task of the one before; `nil` if that has ended, or does not matter.
    private mutating func unfinished(
        _ schedule: Schedule, _ progress: ScheduleRecord.Progress, now: Int
    ) async throws -> Int? {
        guard schedule.overlap != .allow, let id = progress.taskID, let sentAt = progress.sentAt else { return nil }
        let results = try app.results
        let status: TaskStatus?
        do {
            status = try await results.status(of: id)
        } catch {
            // Where results are kept elsewhere, their absence must not keep other schedules waiting.
            throw AppError("it cannot be known whether task \(id), of the tick before, has ended: \(error)")
        }
        if status?.state.isReady == true { return nil }
        let limit = min(sentAt, now) + schedule.overlapLimit.wholeMilliseconds
        if status == nil, now >= limit {
            let workers = try await store.power(.inspection)?.workers() ?? []
            guard workers.contains(where: { $0.vitals.running.contains { $0.id == id } }) else { return nil }
        }
        if schedule.overlap == .wait, waits[schedule.name]?.taskID != id {
            waits[schedule.name] = Wait(for: id, in: results, signal)
        }
        return max(limit, now + 1000)
    }
}
