// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The schedules of a broker, as a value: each change is told the time.
struct ScheduleBook {
    private var records: [String: ScheduleRecord] = [:]
    private(set) var revision = 0

    var board: ScheduleBoard {
        ScheduleBoard(revision: revision, records: records.values.sorted { $0.name < $1.name })
    }

    mutating func keep(_ record: ScheduleRecord, replacing version: Int, restarting: Bool, now: Int) -> Bool {
        let present = records[record.name]
        guard present?.version ?? 0 == version else { return false }
        revision += 1
        var record = record
        record.version = revision
        record.progress = present?.progress ?? ScheduleRecord.Progress(last: now)
        if restarting, record.progress.last < now || record.progress.isAhead(of: now) { record.progress.last = now }
        records[record.name] = record
        return true
    }

    mutating func forget(_ name: String, version: Int) -> Bool {
        guard let present = records[name], present.version == version else { return false }
        revision += 1
        records[name] = nil
        return true
    }

    /// Whether the messages of the step are to be sent.
    mutating func take(_ step: TickStep, now: Int) -> TickReceipt {
        guard var record = records[step.name], record.version == step.version else { return .changed }
        guard record.progress.last == step.last else { return .overtaken(record.progress) }
        guard step.notBefore <= now else { return .early }
        record.progress = record.progress.after(step, at: now)
        records[step.name] = record
        return .done
    }
}

extension ScheduleRecord.Progress {
    /// What it is once a step was taken.
    package func after(_ step: TickStep, at now: Int) -> Self {
        var next = self
        next.last = step.upTo
        next.dropped += step.dropped
        if let message = step.messages.last {
            next.sentTick = step.upTo
            next.sentAt = now
            next.taskID = message.id
            next.sent += step.messages.count
        }
        return next
    }
}
