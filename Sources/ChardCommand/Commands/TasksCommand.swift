// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `tasks`: what this program can run.
struct TasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Lists the tasks of this program.",
        discussion: "Options are shown where they differ from the default.")

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession(allowsMemory: true) { session in
            try session.app.validate()
            let tasks = session.app.tasks
            if session.isJSON {
                return try session.output.answer(JSON.array(tasks.map(\.document)))
            }
            var table = Table("TASK", "PARAMETERS", "OPTIONS")
            for task in tasks {
                table.add(
                    task.name, task.signature.joined(separator: ", "),
                    task.notableOptions.map { "\($0)=\($1.string ?? $1.description)" }.joined(separator: " "))
            }
            try session.output.answer(table.text)
        }
    }
}

extension RegisteredTask {
    var document: JSON {
        [
            "name": .string(name), "parameters": .array(signature.map(JSON.string)),
            "options": .object(Dictionary(notableOptions) { $1 }),
        ]
    }

    /// The options that differ from the default, by the names that Celery gives them; times in seconds.
    var notableOptions: [(String, JSON)] {
        var result: [(String, JSON)] = []
        func add(_ name: String, _ value: JSON?) {
            if let value { result.append((name, value)) }
        }
        func add(_ name: String, _ value: Duration?) {
            add(name, value.map { Int(exactly: $0.seconds).map(JSON.integer) ?? .number($0.seconds) })
        }
        add("queue", options.queue.map(JSON.string))
        add("priority", options.priority.map(JSON.integer))
        if options.retry != TaskOptions().retry {
            add("max_retries", .integer(options.retry.maxRetries))
            add("retry_on_any_error", .bool(options.retry.onAnyError))
        }
        add("soft_time_limit", options.softTimeLimit)
        add("time_limit", options.timeLimit)
        add("expires", options.expires)
        add("result_expires", options.resultExpires)
        if options.ignoresResult { result.append(("ignore_result", true)) }
        if options.tracksStart { result.append(("track_started", true)) }
        if isBlocking { result.append(("blocking", true)) }
        return result
    }
}
