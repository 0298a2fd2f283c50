// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `events`: what workers tell of themselves and of tasks.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Shows Celery's events of workers, Swift's and Python's, as they come.",
        discussion: """
            Workers send events of tasks once they were told to: --enable does. Nobody keeps events. Without --follow, what             comes within five seconds. With --json, one event a line. On Redis alone.
            """)

    @Flag(name: .shortAndLong, help: "Goes on until it is interrupted.")
    var follow = false

    @Flag(name: [.customShort("E"), .long], help: "Tells workers to send events of tasks, first.")
    var enable = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let remote = try await session.reachedOperator().remote
            // First, since it says in its own words where a broker carries none.
            let events = try await session.app.events()
            if enable { try await remote.tell("enable_events") }
            session.output.talk("\(session.program): listening")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for await event in events { try Self.show(event, session) } }
                if !follow {
                    group.addTask { try await Task.sleep(for: .seconds(5)) }
                }
                try await group.next()
                group.cancelAll()
            }
        }
    }

    private static func show(_ event: WorkerEvent, _ session: Session) throws {
        if session.isJSON { return try session.output.answer(JSON.object(event.members)) }
        var line = "\(Words.time(event.time))  \(event.node)  \(event.type)"
        if let id = event.taskID { line += "  \(id)" }
        for (name, value) in event.details.sorted(by: { $0.key < $1.key }) where !value.isNull {
            line += "  \(name)=\((value.string ?? value.description).shortened(to: 100))"
        }
        try session.output.answer(line.printable())
    }
}
