// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials
import Logging

/// `beat`: sends the calls of all schedules.
struct BeatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beat", abstract: "Calls tasks at the times of their schedules; lists and changes schedules.",
        subcommands: [
            Start.self, BeatAddCommand.self, BeatPauseCommand.self, BeatResumeCommand.self, BeatRunCommand.self,
            BeatRemoveCommand.self, BeatResetCommand.self,
        ], defaultSubcommand: Start.self)

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "start", abstract: "Calls tasks at their times, until it is stopped.",
            discussion: """
                Any number may run; each tick is sent once. SIGTERM or SIGINT ends it. Schedules of the program and those \
                of the operator are kept in the broker: --list shows all of them, with the next five times.
                """)

        @Flag(help: "Lists the schedules, and ends.")
        var list = false

        @OptionGroup(title: "Common options")
        var common: CommonOptions

        func run() async throws {
            try await common.withSession(allowsMemory: list) { session in
                try session.app.validate()
                if list { return try await BeatListing(session).show() }
                let beat = Beat(session.app)
                let signals = EndSignals { beat.stop() }
                defer { signals.cancel() }
                try await beat.run {
                    let own = session.app.ownSchedules.count
                    session.output.talk(
                        "\(session.app.name) beat is ready: it calls tasks at their times, by \(session.location), with "
                            + "\(Words.count(own, "schedule")) of its own")
                }
                session.output.talk("\(session.app.name) beat has stopped")
            }
        }
    }
}

/// All schedules: those in the broker, and of the program's those that no beat has brought there yet.
struct BeatListing {
    private let session: Session

    init(_ session: Session) {
        self.session = session
    }

    func show() async throws {
        let store = try await session.scheduleStore()
        var records = try await session.app.schedules.list()
        let now = try await store.scheduleRevision().now
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
            listing.add("state", record.stateWords)
            listing.add("last", record.progress.sentTick.map { Words.time(Date(millisecondsSince1970: $0)) })
            let times = record.upcoming(at: now)
            listing.add("next", times.first ?? "-")
            for time in times.dropFirst() { listing.add("", time) }
            return "\(record.name.printable())\n  " + listing.text.split(separator: "\n").joined(separator: "\n  ")
        }
        try session.output.answer(texts.joined(separator: "\n\n"))
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

    private var stateWord: String {
        if unreadable != nil { return "left alone" }
        if isRemoved { return "removed" }
        if isPaused { return "paused" }
        return schedule?.isEnabled == false ? "not enabled" : "active"
    }

    fileprivate var stateWords: String {
        var words = "\(stateWord), \(progress.sent) sent"
        if progress.dropped > 0 { words += ", \(progress.dropped) dropped" }
        return words
    }

    fileprivate var originWords: String {
        switch origin {
        case .code: "the code of \(app ?? "?")" + (version == 0 ? ", not yet in the broker" : "")
        case .changed: "the code of \(app ?? "?"), changed by the operator"
        case .operator: "the operator"
        }
    }

    /// The schedule as it is kept, with what is known of it beside.
    func document(at now: Date) throws -> JSON {
        var document = try schedule.map { try JSON(encoding: $0) } ?? ["name": .string(name)]
        document["description"] = schedule.map { .string($0.words) } ?? .null
        document["origin"] = .string(origin.rawValue)
        document["app"] = app.map(JSON.string) ?? .null
        document["unreadable"] = unreadable.map { .string($0.reason) } ?? .null
        document["paused"] = .bool(isPaused)
        document["removed"] = .bool(isRemoved)
        document["active"] = .bool(isActive)
        document["sent"] = .integer(progress.sent)
        document["dropped"] = .integer(progress.dropped)
        document["last_task_id"] = progress.taskID.map(JSON.string) ?? .null
        document["last"] =
            progress.sentTick.map { .string(Timestamp.text(for: Date(millisecondsSince1970: $0))) } ?? .null
        let next = isActive ? try schedule?.upcoming(after: now) ?? [] : []
        document["next"] = .array(next.map { .string(Timestamp.text(for: $0)) })
        return document
    }
}

extension Schedule {
    /// `report(1, 'x', page=2) on nightly`.
    fileprivate var callWords: String {
        let positional = call.arguments.positional.map(\.description)
        let keywords = call.arguments.keywords.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let queue = call.queue.map { " on \($0)" } ?? ""
        return "\(call.task)(\((positional + keywords).joined(separator: ", ").shortened(to: 100)))\(queue)"
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

extension Date {
    fileprivate init(millisecondsSince1970 milliseconds: Int) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}

extension Session {
    /// Where the broker is, without password.
    fileprivate var location: String { (try? app.broker.location) ?? "no broker" }

    /// The broker, reached, as one that keeps schedules.
    func scheduleStore() async throws -> any ScheduleStore {
        let broker = try app.broker
        guard let store = broker as? any ScheduleStore else {
            throw CommandError("the broker at \(broker.location) keeps no schedules", status: .misused)
        }
        try await store.connect()
        return store
    }
}
