// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import Foundation
import Synchronization
import Testing

@testable import ChardCommand

@Suite("A program answers on standard output, talks on standard error, and exits with a status")
struct ProgramTests {
    /// What a program said and how it ended.
    struct Run {
        var status: CommandStatus
        var answer: String
        var talk: String
    }

    private func launch(
        _ arguments: [String], app: Chard = Chard("shop"), environment: [String: String] = [:],
        own: CommandConfiguration = CommandConfiguration()
    ) async -> Run {
        let texts = Mutex(["", ""])
        let output = Output { stream, bytes in
            texts.withLock { $0[stream == .answer ? 0 : 1] += String(decoding: bytes, as: UTF8.self) }
            return 0
        }
        var launch = Launch(
            app: app, name: "shop", environment: environment, output: output, bootstrapsLogging: false)
        launch.own = own
        let status = await launch.run(arguments)
        return texts.withLock { Run(status: status, answer: $0[0], talk: $0[1]) }
    }

    private func appWithTasks(broker: (any Broker)? = nil) -> Chard {
        let app = Chard("shop", broker: broker)
        app.task("shop.add", parameters: ["x", .init("y", default: 1)]) { (x: Int, y: Int) in x + y }
        app.task(
            "shop.mail", options: TaskOptions(queue: "mail", retry: .constant(maxRetries: 2, delay: .seconds(1)))
        ) { (address: String) in throw TaskError("SMTPError", address) }
        return app
    }

    @Test("--version tells the program's own, if it has one, and Chard's")
    func version() async {
        let plain = await launch(["--version"])
        #expect(plain.status == .done && plain.answer == "shop (Chard \(RootCommand.version))\n" && plain.talk.isEmpty)
    }

    @Test("send suggests a task of the program's own, and sends all the same")
    func suggestion() async throws {
        let broker = MemoryBroker()
        let app = appWithTasks(broker: broker)
        // Memory is refused to commands that only send; this one goes through a file.
        let file = "/tmp/chard-\(TaskID.random()).db"
        defer { for end in ["", "-wal", "-shm"] { unlink(file + end) } }
        let slip = await launch(["send", "shop.ad", "--broker", "sqlite:///\(file)"], app: app)
        #expect(slip.status == .done && slip.answer.count == 37)
        #expect(slip.talk.hasPrefix("shop: this program has no task shop.ad; did you mean shop.add?"), "\(slip)")
        let own = await launch(["send", "shop.add", "--broker", "sqlite:///\(file)"], app: app)
        #expect(own.status == .done && own.talk.isEmpty, "\(own)")
        let other = await launch(["send", "billing.charge", "--broker", "sqlite:///\(file)"], app: app)
        #expect(other.status == .done && other.talk.isEmpty, "\(other)")
    }

    @Test("a task that is sent is sent, also when nobody can be told its id")
    func closedOutput() async throws {
        let file = "/tmp/chard-\(TaskID.random()).db"
        defer { for end in ["", "-wal", "-shm"] { unlink(file + end) } }
        let talk = Mutex("")
        let output = Output { stream, bytes in
            guard stream == .talk else { return EPIPE }
            talk.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            return 0
        }
        let launch = Launch(
            app: Chard("shop"), name: "shop", environment: [:], output: output, bootstrapsLogging: false)
        for more in [[], ["--json"]] {
            let words = ["send", "shop.add", "--id", "known", "--broker", "sqlite:///\(file)"] + more
            #expect(await launch.run(words) == .done)
        }
        #expect(talk.withLock { $0 }.contains("the task is sent all the same: known"))
        #expect(await launch.run(["queues", "--broker", "sqlite:///\(file)"]) == .failed)
    }

    @Test("beat --list shows the schedules of the code, in words and with the next five times")
    func schedules() async throws {
        let app = Chard("shop", broker: MemoryBroker())
        let report = app.task("report") { (_: Int) in }
        app.cron("30 7 1 * *", timeZone: "Europe/Warsaw", run: report, 7)
        app.every(
            .seconds(90), name: "often", run: report, 8, options: ScheduleOptions(call: EnqueueOptions(queue: "q")))
        let run = await launch(["beat", "--list"], app: app)
        #expect(run.status == .done, "\(run)")
        for text in [
            "at 07:30 on the first day of the month, Europe/Warsaw", "report(7) on celery", "every 90 seconds",
            "report(8) on q", "not yet in the broker",
        ] {
            #expect(run.answer.contains(text), "\(run)")
        }
        #expect(run.answer.split(separator: "\n").count { $0.contains(" 07:30:00 +0") } == 5, "\(run)")
        let json = try JSON(parsing: Array(await launch(["beat", "--list", "--json"], app: app).answer.utf8))
        #expect(json.array?.compactMap { $0["name"] } == ["often", "report"])
        #expect(json[0]?["next"]?.array?.count == 5)
        #expect(json[1]?["origin"] == "code")
    }

    @Test("Help is an answer, and lists worker only where there are tasks", arguments: [true, false])
    func help(hasTasks: Bool) async {
        let run = await launch(["--help"], app: hasTasks ? appWithTasks() : Chard("shop"))
        #expect(run.status == .done)
        #expect(run.answer.contains("send") && run.answer.contains("purge"))
        #expect(run.answer.contains("worker  ") == hasTasks)
        #expect(run.talk.isEmpty)
    }

    @Test(
        "Wrong usage is one line with the program's name, and where to read on",
        arguments: [
            (["nonsense"], "shop: Unexpected argument 'nonsense'"),
            (["send"], "shop: Missing expected argument '<name>'"),
            (["send", "x", "--args", "5"], "it is no JSON array"), (["send", "x", "--priority", "high"], "'high'"),
            (["send", "x", "--wait=soon"], "'soon'"), (["send", "x", "--wait", "0"], "'0'"),
            (["queues", "--colour"], "Unknown option '--colour'"),
            (["dead", "requeue"], "Name the letters, or say --all."),
            (["dead", "requeue", "x", "--all"], "Name the letters, or say --all."),
            (["dead", "list", "--limit", "0"], "it must be at least 1"),
        ])
    func wrongUsage(arguments: [String], message: String) async {
        let run = await launch(arguments)
        #expect(run.status == .misused)
        #expect(run.answer.isEmpty)
        #expect(run.talk.hasPrefix("shop: ") && run.talk.contains(message), "\(run.talk)")
        #expect(run.talk.contains("See 'shop"))
        #expect(run.talk.split(separator: "\n").count == 1)
    }

    @Test("Where there are no tasks, worker and tasks say what they need", arguments: ["worker", "tasks"])
    func noTasks(command: String) async {
        let run = await launch([command])
        #expect(run.status == .misused)
        #expect(run.talk.hasPrefix("shop: '\(command)' needs tasks, and shop has none"))
        #expect(run.talk.split(separator: "\n").count == 1)
    }

    @Test(
        "A wrong broker is named by where it was named, without its password",
        arguments: [
            (["--broker", "amqp://u:secret@h"], [:], "shop: --broker: there is no broker for amqp://"),
            ([], ["CHARD_BROKER_URL": "redis://:secret@h:x"], "shop: CHARD_BROKER_URL: not a Redis URL"),
            (["--results", "secret"], [:], "shop: --results: the URL does not start with a scheme"),
        ] as [([String], [String: String], String)])
    func wrongBroker(arguments: [String], environment: [String: String], message: String) async {
        let run = await launch(["queues"] + arguments, environment: environment)
        #expect(run.status == .misused)
        #expect(run.talk.hasPrefix(message), "\(run.talk)")
        #expect(!run.talk.contains("secret"))
    }

    @Test(
        "A broker in memory cannot be reached by a command",
        arguments: [["queues"], ["workers"], ["send", "x"], ["result", "x"], ["dead"], ["purge", "q", "--yes"]])
    func memory(arguments: [String]) async {
        let run = await launch(arguments + ["--broker", "memory://"])
        #expect(run.status == .misused)
        #expect(run.talk.hasPrefix("shop: memory:// exists only inside the process"))
        #expect(run.answer.isEmpty)
    }

    @Test("Nothing is purged without --yes", arguments: [["purge", "mail"], ["queues", "purge", "mail"]])
    func purge(arguments: [String]) async {
        let run = await launch(arguments)
        #expect(run.status == .misused)
        #expect(run.talk == "shop: this deletes what waits in mail, for good; say --yes if that is meant\n")
    }

    @Test("A key prefix that would have no effect is refused")
    func prefixWithBrokerInCode() async {
        let run = await launch(["queues", "--key-prefix", "x"], app: Chard("shop", broker: MemoryBroker()))
        #expect(run.status == .misused)
        #expect(run.talk.hasPrefix("shop: --key-prefix has no effect"))
    }

    @Test("A slip in the environment is warned of")
    func warning() async {
        let run = await launch(["tasks"], app: appWithTasks(), environment: ["CHARD_BROKER": "x"])
        #expect(run.status == .done)
        #expect(
            run.talk == "shop: warning: CHARD_BROKER in the environment means nothing; did you mean CHARD_BROKER_URL?\n"
        )
    }

    @Test("Tasks are listed with parameters and what is special about them")
    func tasks() async {
        let run = await launch(["tasks"], app: appWithTasks())
        #expect(
            run.answer == """
                TASK       PARAMETERS          OPTIONS
                shop.add   x: Int, y: Int = 1
                shop.mail  String              queue=mail max_retries=2 retry_on_any_error=true

                """)
        #expect(run.talk.isEmpty)
    }

    @Test("With --json, the tasks are one document")
    func tasksAsJSON() async throws {
        let run = await launch(["tasks", "--json"], app: appWithTasks())
        let document = try JSON(parsing: Array(run.answer.utf8))
        #expect(document[0] == ["name": "shop.add", "parameters": ["x: Int", "y: Int = 1"], "options": [:]])
        #expect(document[1]?["options"]?["max_retries"] == 2)
        #expect(run.answer.split(separator: "\n").count == 1)
    }

    @Test("A worker runs what is there, drains, and says what it did")
    func worker() async throws {
        let app = appWithTasks(broker: MemoryBroker())
        let sum = try await app.send("shop.add", Arguments([2, 3]))
        try await app.send("shop.unknown")
        let run = await launch(["worker", "--drain", "-c", "2", "-n", "one@here"], app: app)
        #expect(run.status == .done)
        #expect(run.answer.isEmpty)
        let lines = run.talk.split(separator: "\n")
        #expect(lines[0].hasSuffix("one@here, a Chard worker"))
        #expect(run.talk.contains("broker       memory:// (only what this process itself sends arrives)"))
        #expect(run.talk.contains("concurrency  2"))
        #expect(run.talk.contains("shop.add(x: Int, y: Int = 1)"))
        #expect(lines.count { $0.contains("ready") } == 1)
        #expect(lines.last == "one@here has stopped: 2 tasks done, 1 of them failed")
        #expect(try await sum.value(timeout: .seconds(5)) == 5)
    }

    @Test(
        "What a worker goes by comes from flags, environment and file",
        arguments: [
            (
                ["-Q", "a,b", "-Q", "c", "-c", "3", "-n", "x", "--grace", "2"], ["a", "b", "c"], 3, "x",
                Duration.seconds(2)
            ),
            ([], ["e"], 7, "env", .milliseconds(1500)),
        ])
    func workerOptions(
        arguments: [String], queues: [String], concurrency: Int, node: String, grace: Duration
    ) throws {
        let command = try WorkerCommand.parse(arguments)
        let settings = try SettingsReader(
            config: nil,
            environment: [
                "CHARD_WORKER_QUEUES": "e", "CHARD_WORKER_CONCURRENCY": "7", "CHARD_WORKER_NODE": "env",
                "CHARD_WORKER_GRACE": "1.5",
            ])
        let options = try command.options(settings)
        #expect(options.queues == queues)
        #expect(options.concurrency == concurrency)
        #expect(options.node == node)
        #expect(options.gracePeriod == grace)
        #expect(!options.drains)
    }

    @Test("A worker with senseless options, or an app that is set up wrongly, is misused")
    func wrongWorker() async {
        let run1 = await launch(["worker", "-c", "0"], app: appWithTasks(broker: MemoryBroker()))
        #expect(run1.status == .misused)
        #expect(run1.talk.contains("it must be at least 1"))
        let app = appWithTasks(broker: MemoryBroker())
        app.task("shop.add") { 1 }
        let run2 = await launch(["worker"], app: app)
        #expect(run2.status == .misused)
        #expect(run2.talk.contains("task shop.add is registered twice"))
    }

    @Test("A program's own commands come first, find the app, and may end as they like")
    func ownCommands() async {
        let own = CommandConfiguration(subcommands: [Greet.self], defaultSubcommand: Greet.self)
        let app = Chard("shop")
        let named = await launch(["greet", "--broker", "memory://"], app: app, own: own)
        #expect(named.status == .done)
        #expect(named.answer.isEmpty && named.talk.isEmpty)
        #expect((try? app.broker.location) == "memory://")
        let failing = await launch(["--broker", "memory://", "--status", "9"], own: own)
        #expect(failing.status == CommandStatus(rawValue: 9))
        let help = await launch(["--help"], own: own)
        #expect(help.answer.contains("greet"))
    }

    private final class Diary: Sendable {
        let lines = Mutex<[String]>([])
        func note(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test(
        "What tasks need is made for a command of the program's own, and closed behind it, also where it fails; for no other"
    )
    func dependencies() async {
        let own = CommandConfiguration(subcommands: [Greet.self], defaultSubcommand: Greet.self)
        let diary = Diary()
        let app = appWithTasks()
        app.dependencies.register(Int.self) {
            diary.note("made")
            return 1
        } close: { _ in
            diary.note("closed")
        }
        for words in [["tasks"], ["beat", "--list"], ["queues", "--broker", "memory://"]] {
            _ = await launch(words + (words[0] == "queues" ? [] : ["--broker", "memory://"]), app: app, own: own)
        }
        #expect(diary.lines.withLock { $0 } == [])
        #expect(await launch(["greet", "--broker", "memory://"], app: app, own: own).status == .done)
        #expect(diary.lines.withLock { $0 } == ["made", "closed"])
        #expect(await launch(["greet", "--broker", "memory://", "--status", "9"], app: app, own: own).status != .done)
        #expect(diary.lines.withLock { $0 } == ["made", "closed", "made", "closed"])
    }

    struct Greet: AsyncParsableCommand {
        @Option var status: Int32 = 0
        @OptionGroup var common: CommonOptions

        func run() async throws {
            try await common.withApp { app in
                #expect(app.name == "shop")
                if status != 0 { throw ExitCode(status) }
            }
        }
    }
}
