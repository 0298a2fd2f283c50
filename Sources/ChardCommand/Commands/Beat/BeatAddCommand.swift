// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `beat add NAME`.
struct BeatAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a schedule, or changes the one of that name.",
        discussion: """
            Of a schedule that is there already, what is not given stays as it is. A change of one of a program's code \
            outlives that program's restarts, until 'beat reset'. Nothing is checked of the task: a worker that has it \
            checks its arguments.
            """)

    @Argument(help: "The schedule's name.")
    var name: String

    @Option(help: ArgumentHelp("The task's name, as its worker registered it.", valueName: "name"))
    var task: String?

    @Option(
        help: ArgumentHelp(
            "Times as in cron: '30 7 1 * *', '@daily', six fields with seconds first.", valueName: "expression"))
    var cron: String?

    @Option(help: ArgumentHelp("The time zone of --cron, such as Europe/Warsaw; by default, UTC.", valueName: "name"))
    var zone: String?

    @Flag(help: "With --cron, the day of month or the day of week is enough; by default, both must fit, as in Celery.")
    var eitherDay = false

    @Option(help: ArgumentHelp("At every multiple of so many seconds since 1970.", valueName: "seconds"))
    var every: Seconds?

    @Option(
        help: ArgumentHelp("Positional arguments, a JSON array.", valueName: "json"), transform: OptionValues.array)
    var args: [JSON]?

    @Option(help: ArgumentHelp("Keyword arguments, a JSON object.", valueName: "json"), transform: OptionValues.object)
    var kwargs: [String: JSON]?

    @Option(name: [.customShort("Q"), .long], help: "The queue; by default, where the beat's routes lead.")
    var queue: String?

    @Option(help: ArgumentHelp("A task does not start later than so long after it was sent.", valueName: "seconds"))
    var expires: Seconds?

    @Option(help: ArgumentHelp("0 (first) to 9 (last).", valueName: "number"))
    var priority: Int?

    @Option(help: ArgumentHelp("No tick before this, in ISO 8601.", valueName: "time"), transform: OptionValues.time)
    var from: Date?

    @Option(help: ArgumentHelp("No tick after this, in ISO 8601.", valueName: "time"), transform: OptionValues.time)
    var until: Date?

    @Option(help: ArgumentHelp("Each tick is sent up to so much later.", valueName: "seconds"))
    var jitter: Seconds?

    @Option(
        help: ArgumentHelp(
            "What of the ticks that nobody was there to send: none, latest, or so many.",
            valueName: "none|latest|number"))
    var catchUp: CatchUpWord?

    @Option(help: ArgumentHelp("A tick that is late by no more was not missed; by default, 10.", valueName: "seconds"))
    var grace: Seconds?

    @Option(help: ArgumentHelp("While the last task is unfinished: allow, skip or wait.", valueName: "word"))
    var overlap: ScheduleOptions.Overlap?

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func validate() throws {
        guard cron == nil || every == nil else { throw ValidationError("Give either --cron or --every, not both.") }
        guard cron != nil || zone == nil && !eitherDay else {
            throw ValidationError("'--zone' and '--either-day' go with '--cron'.")
        }
    }

    func run() async throws {
        try await common.withSession { session in
            let schedules = try await session.reachedOperator().schedules
            let present = try await schedules.find(name)?.schedule
            let schedule = try changed(present)
            try await schedules.put(schedule)
            let now = try await schedules.now()
            guard let record = try await schedules.find(name) else { return }
            try session.answer(
                try record.document(at: now),
                "\(name.printable()) is \(present == nil ? "added" : "changed"): \(schedule.words)")
        }
    }

    private func timing(_ present: Schedule?) throws -> Timing {
        if let every { return .every(every.duration) }
        if let cron {
            do throws(ScheduleError) {
                return .cron(try CronExpression(cron, days: eitherDay ? .either : .both), timeZone: zone ?? "UTC")
            } catch {
                throw CommandError("--cron: \(error)", status: .misused)
            }
        }
        if let present { return present.timing }
        throw CommandError("\(name) is a new schedule: say when, with --cron or --every", status: .misused)
    }

    private func changed(_ present: Schedule?) throws -> Schedule {
        guard let task = task ?? present?.call.task else {
            throw CommandError("\(name) is a new schedule: say what to call, with --task", status: .misused)
        }
        var schedule = try present ?? Schedule(name, timing(nil), call: PeriodicCall(task))
        schedule.timing = try timing(present)
        schedule.call.task = task
        if let args { schedule.call.arguments.positional = args }
        if let kwargs { schedule.call.arguments.keywords = kwargs }
        schedule.call.queue = queue ?? schedule.call.queue
        schedule.call.expires = expires?.duration ?? schedule.call.expires
        schedule.call.priority = priority ?? schedule.call.priority
        schedule.startsAt = from ?? schedule.startsAt
        schedule.endsAt = until ?? schedule.endsAt
        schedule.jitter = jitter?.duration ?? schedule.jitter
        schedule.catchUp = catchUp?.value ?? schedule.catchUp
        schedule.grace = grace?.duration ?? schedule.grace
        schedule.overlap = overlap ?? schedule.overlap
        return schedule
    }
}

extension ScheduleOptions.Overlap: ExpressibleByArgument {}

/// `none`, `latest`, or a number of ticks.
struct CatchUpWord: ExpressibleByArgument {
    let value: ScheduleOptions.CatchUp

    init?(argument: String) {
        switch argument {
        case "none": value = .none
        case "latest": value = .latest
        default:
            guard let count = Int(argument), count > 0 else { return nil }
            value = .all(upTo: count)
        }
    }
}
