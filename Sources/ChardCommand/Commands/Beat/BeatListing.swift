// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// All schedules: those in the broker, and of the program's those that no beat has brought there yet.
struct BeatListing {
    private let session: Session

    init(_ session: Session) {
        self.session = session
    }

    func show() async throws {
        let schedules = try await session.reachedOperator().schedules
        var records = try await schedules.list()
        let now = try await schedules.now()
        for schedule in session.app.ownSchedules where !records.contains(where: { $0.name == schedule.name }) {
            var record = ScheduleRecord(schedule.name)
            record.app = session.app.name
            record.code = schedule
            records.append(record)
        }
        records.sort { $0.name < $1.name }
        if session.isJSON {
            return try session.output.answer(JSON.array(try records.map { try $0.document(at: now) }))
        }
        guard !records.isEmpty else { return session.output.talk("there are no schedules") }
        let texts = records.map { record in
            var listing = Listing()
            listing.add("when", record.schedule?.words ?? (record.unreadable == nil ? "removed" : "unknown"))
            listing.add("trouble", record.unreadable.map { "this version of Chard cannot read it: \($0.reason)" })
            listing.add("calls", record.schedule?.callWords)
            listing.add("from", record.originWords)
            listing.add("state", record.stateWords(at: now))
            let last = record.progress.sentTick.map { Date(timeIntervalSince1970: Double($0) / 1000) }
            listing.add("last", last.map(Words.time))
            let times = record.upcoming(at: now)
            listing.add("next", times.first ?? "-")
            for time in times.dropFirst() { listing.add("", time) }
            return "\(record.name.printable())\n  " + listing.text.split(separator: "\n").joined(separator: "\n  ")
        }
        try session.output.answer(texts.joined(separator: "\n\n"))
        // A user who may not ask that is told the rest.
        let isIdle = (try? await schedules.beats()) == 0
        if isIdle || records.contains(where: { $0.overdue(at: now) != nil }) {
            session.output.talk(
                "\(session.program): no beat is running, so no task is called; start 'beat', or a worker with --beat")
        }
    }
}

extension ScheduleRecord {
    /// The next five times, for people; those of a time zone with its offset.
    fileprivate func upcoming(at now: Date) -> [String] {
        guard isActive, let schedule, let dates = try? schedule.upcoming(after: now) else { return [] }
        guard case .cron(_, let name) = schedule.timing, name != "UTC",
            let zone = try? TimeZoneDatabase.system.rules(named: name)
        else { return dates.map(Words.time) }
        return dates.map { "\(zone.text(for: $0)) \(name)" }
    }

    fileprivate func stateWords(at now: Date) -> String {
        var words = "\(stateWord), \(progress.sent) sent"
        if let overdue = overdue(at: now) { words += ", overdue since \(Words.time(overdue))" }
        if progress.dropped > 0 { words += ", \(progress.dropped) dropped" }
        return words
    }
}

extension TimeZoneRules {
    /// `2026-12-01 07:30:00 +01:00`.
    fileprivate func text(for date: Date) -> String {
        let offset = offset(at: date)
        let local = Timestamp.text(for: date.addingTimeInterval(Double(offset)))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let minutes = abs(offset) / 60
        return "\(local.prefix(10)) \(local.dropFirst(11).prefix(8)) \(offset < 0 ? "-" : "+")\(two(minutes / 60)):"
            + two(minutes % 60)
    }
}
