// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// `send NAME`: sends a task by its name.
struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Sends a task by name and prints its id.",
        discussion: "Nothing is checked here: a worker that has the task checks the arguments.")

    @Argument(help: "The task's name, as its worker registered it.", transform: OptionValues.name)
    var name: String

    @Option(
        help: ArgumentHelp("Positional arguments, a JSON array.", valueName: "json"), transform: OptionValues.array)
    var args: [JSON] = []

    @Option(help: ArgumentHelp("Keyword arguments, a JSON object.", valueName: "json"), transform: OptionValues.object)
    var kwargs: [String: JSON] = [:]

    @Option(
        name: [.customShort("Q"), .long],
        help: "The queue; by default, where the program's routes lead, else its default queue.")
    var queue: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Runs the task no sooner than after so many seconds.", valueName: "seconds"))
    var countdown: Seconds?

    @Option(
        help: ArgumentHelp("Runs the task no sooner than at this time, in ISO 8601.", valueName: "time"),
        transform: OptionValues.time)
    var eta: Date?

    @Flag(
        name: .customLong("worker-holds-eta"),
        help: "The worker that takes the message waits for its time: for a queue that Python's workers alone serve.")
    var workerHoldsETA = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The task does not start later than after so many seconds.", valueName: "seconds"))
    var expires: Seconds?

    @Option(help: ArgumentHelp("0 (first) to 9 (last).", valueName: "number"))
    var priority: Int?

    @Option(help: "The task's id; by default, a new UUID.")
    var id: String?

    @Option(
        help: ArgumentHelp("A header for the task; may be repeated.", valueName: "name=value"),
        transform: OptionValues.header)
    var header: [(name: String, value: String)] = []

    @Option(
        help: ArgumentHelp(
            "Waits for the result and prints it; with a number, no longer than so many seconds.", valueName: "seconds"))
    var wait: WaitLimit?

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            // Before anything is sent: a result that cannot be waited for is better known now.
            if wait != nil { _ = try await session.results() }
            let result = try await session.app.send(name, Arguments(args, keywords: kwargs), options: options)
            guard let wait else {
                return try session.isJSON
                    ? session.output.answer(["id": .string(result.id)]) : session.output.answer(result.id)
            }
            // At once, so that the id is known even if the wait is in vain.
            if !session.isJSON { try session.output.answer(result.id) }
            let status = try await result.finalStatus(timeout: wait.duration)
            if session.isJSON {
                try session.output.answer(try JSON(parsing: status.encoded(), limits: JSONLimits(bytes: .max)))
            } else if status.state == .success {
                try session.output.answer(String(decoding: status.resultText, as: UTF8.self))
            }
            if let failure = status.failure { throw failure }
        }
    }

    private var options: EnqueueOptions {
        EnqueueOptions(
            queue: queue, countdown: countdown?.duration, eta: eta, expires: expires?.duration, priority: priority,
            headers: Dictionary(header.map { ($0.name, .string($0.value)) }) { $1 }, id: id,
            workerHoldsETA: workerHoldsETA)
    }
}

extension TaskStatus {
    /// The error with which a command ends that waited for this status: `Type: message`, then the traceback.
    var failure: CommandError? {
        guard state.isReady, state != .success else { return nil }
        let summary = error.map { "\($0)" } ?? "\(state) without an error object"
        guard let traceback, !traceback.isEmpty else { return CommandError(summary) }
        return CommandError(traceback.hasPrefix(summary) ? traceback : "\(summary)\n\(traceback)")
    }
}
