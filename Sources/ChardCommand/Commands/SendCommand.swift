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
        help: "The worker that takes the message waits for its time, as Celery's do; see also --broker-holds-eta.")
    var workerHoldsETA = false

    @Flag(
        name: .customLong("broker-holds-eta"),
        help: ArgumentHelp(
            "The message waits in the broker, until a worker of Chard brings it; by default so, unless only Python's workers "
                + "serve its queue."))
    var brokerHoldsETA = false

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
            suggestOwnTask(session)
            let result = try await session.app.send(name, Arguments(args, keywords: kwargs), options: options)
            guard let wait else { return tell(result.id, session) }
            // At once, so that the id is known even if the wait is in vain.
            if !session.isJSON { tell(result.id, session) }
            if case .delayed = result.placement { await warnOfNobody(session) }
            let status = try await result.finalStatus(timeout: wait.duration)
            if session.isJSON {
                try session.output.answer(try JSON(parsing: status.encoded(), limits: JSONLimits(bytes: .max)))
            } else if status.state == .success {
                try session.output.answer(String(decoding: status.resultText, as: UTF8.self))
            }
            if let failure = status.failure { throw failure }
        }
    }

    /// Prints the id of what is sent. Who cannot be told must not send it again: the task is under way, and that is no failure.
    private func tell(_ id: String, _ session: Session) {
        do {
            try session.answer(["id": .string(id)], id)
        } catch {
            session.output.talk("\(session.program): \(error); the task is sent all the same: \(id)")
        }
    }

    /// A name that is nearly one of the program's own is more often a slip than a task that others have.
    private func suggestOwnTask(_ session: Session) {
        let own = session.app.tasks.map(\.name)
        guard !own.contains(name), let nearest = Suggestion.nearest(to: name, among: own) else { return }
        session.output.talk(
            "\(session.program): this program has no task \(name.printable()); did you mean \(nearest)? It is sent all the same"
        )
    }

    /// Says that nobody will bring a delayed message to its queue: only workers of Chard do, and one that serves it.
    private func warnOfNobody(_ session: Session) async {
        let queue = session.app.queue(for: name, queue)
        guard let workers = try? await session.app.operator.workers(),
            !workers.contains(where: { $0.queues.contains(queue) })
        else { return }
        session.output.talk(
            "\(session.program): no worker of Chard serves \(queue.printable()) now, and until one does nobody moves the task there "
                + "when it is due; for a queue that only Python's workers serve, say --worker-holds-eta")
    }

    private var options: EnqueueOptions {
        EnqueueOptions(
            queue: queue, countdown: countdown?.duration, eta: eta, expires: expires?.duration, priority: priority,
            headers: Dictionary(header.map { ($0.name, .string($0.value)) }) { $1 }, id: id,
            workerHoldsETA: workerHoldsETA ? true : brokerHoldsETA ? false : nil)
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
