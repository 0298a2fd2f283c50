// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardRedis
import ChardSQLite
import FoundationEssentials

/// `migrate`: from one broker to another.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Moves everything from one broker to another.",
        discussion: """
            Moves waiting, scheduled and dead tasks, results that have not expired, and the schedules of 'beat' with their \
            last runs; copies revocations and which queues are paused. Workflows that run go on at the target; some of their \
            tasks must not be left behind, so move all queues. Not moved: what Python's workers hold.

            It may be stopped at any time, and run again for the rest. Nothing is lost; of what was under way when it was \
            killed, some hundred messages at most may be at the target twice, with one id. Stop workers, 'beat' and \
            whatever sends tasks to the old broker first; workers of the new one may run already.
            """)

    @Option(help: ArgumentHelp("Where everything is: sqlite:/// or redis://.", valueName: "url"))
    var from: String

    @Option(help: ArgumentHelp("Where it is to be.", valueName: "url"))
    var to: String

    @Option(
        name: [.customShort("Q"), .long],
        help: ArgumentHelp(
            "Only these queues, with commas between; also such as only Python has used.", valueName: "names"),
        transform: OptionValues.list)
    var queues: String?

    @Flag(help: "Also while workers are alive at the source; what they hold stays behind.")
    var force = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func validate() throws {
        guard common.broker == nil, common.results == nil else {
            throw ValidationError("'migrate' takes --from and --to, not --broker or --results.")
        }
    }

    func run() async throws {
        for (option, url) in [("--from", from), ("--to", to)] {
            _ = try Self.open(url, option)
        }
        // A key prefix is for Redis alone.
        var options = common
        options.broker = Self.isFile(from) ? to : from
        try await options.withSession(allowsMemory: true) { session in
            let source = try open(from, "--from", session)
            let target = try open(to, "--to", session)
            do {
                try refuseMissingFile()
                try await move(from: source, to: target, session)
            } catch {
                await source.shutdown()
                await target.shutdown()
                throw error
            }
            await source.shutdown()
            await target.shutdown()
        }
    }

    private func move(
        from source: any MovableBroker, to target: any MovableBroker, _ session: Session
    ) async throws {
        let migration = Migration(from: source, to: target, output: session.output)
        let report = try await migration.run(NameList.names(in: [queues ?? ""]), force: force)
        if session.isJSON {
            try session.output.answer(report.document(from: source.location, to: target.location))
        } else {
            try session.output.answer(report.text)
        }
        guard report.left == 0 else {
            throw CommandError(
                "\(Words.count(report.left, "message")) stayed at \(source.location), held by workers or sent meanwhile; "
                    + "run this again for them")
        }
    }

    /// Opening it would make a file, and then there would be nothing to move.
    private func refuseMissingFile() throws {
        guard Self.isFile(from) else { return }
        let path = try SQLiteLocation(from).path
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandError("--from: there is no file \(path)", status: .unreachable)
        }
    }

    private static func isFile(_ url: String) -> Bool { url.lowercased().hasPrefix("sqlite:") }

    private func open(_ url: String, _ option: String, _ session: Session) throws -> any MovableBroker {
        let prefix = try session.settings.text(.keyPrefix, flag: common.keyPrefix, named: "--key-prefix")?.value
        return try Self.open(
            url, option, keyPrefix: Self.isFile(url) ? "" : prefix ?? "",
            priorities: session.settings.priorities(),
            deadLetterLimit: session.settings.integer(.deadLetterLimit, flag: nil),
            deadLetterTimeToLive: session.settings.deadLetterTimeToLive())
    }

    private static func open(
        _ url: String, _ option: String, keyPrefix: String = "", priorities: PrioritySteps? = nil,
        deadLetterLimit: Int? = nil, deadLetterTimeToLive: Duration? = nil
    ) throws -> any MovableBroker {
        let broker: any Broker
        do {
            broker = try openBroker(
                url, keyPrefix: keyPrefix, priorities: priorities, deadLetterLimit: deadLetterLimit,
                deadLetterTimeToLive: deadLetterTimeToLive)
        } catch {
            throw BrokerError(error.code, "\(option): \(error.message)", underlying: error)
        }
        guard !broker.isInMemory else {
            throw CommandError(
                "\(option): memory:// exists only inside the process that uses it, so nothing can be moved from or to it; "
                    + "use sqlite:/// or redis://",
                status: .misused)
        }
        return try broker.with(.moving)
    }
}

extension Migration.Report {
    fileprivate var text: String {
        var table = Table("QUEUE", "WAITING", "SCHEDULED", "DEAD", "LEFT", rightAligned: [1, 2, 3, 4])
        for (report, moved) in queues {
            table.add(
                report.queue + (report.isPaused ? " (paused)" : ""), "\(moved.waiting)", "\(moved.delayed)",
                "\(moved.dead)", "\(report.left)")
        }
        let counts = [
            (results, "result"), (revocations, "revocation"), (schedules, "schedule"), (workflows.joins, "join"),
            (workflows.records, "record"),
        ]
        let rest = counts.map { Words.count($0, $1) }.joined(separator: ", ")
        return table.isEmpty ? rest : table.text + "\n" + rest
    }

    fileprivate func document(from source: String, to target: String) -> JSON {
        [
            "from": .string(source), "to": .string(target), "results": .integer(results),
            "revocations": .integer(revocations), "schedules": .integer(schedules), "left": .integer(left),
            "joins": .integer(workflows.joins), "records": .integer(workflows.records),
            "queues": .array(
                queues.map { report, moved in
                    [
                        "queue": .string(report.queue), "waiting": .integer(moved.waiting),
                        "scheduled": .integer(moved.delayed), "dead": .integer(moved.dead),
                        "paused": .bool(report.isPaused), "left": .integer(report.left),
                    ]
                }),
        ]
    }
}
