// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

/// Writes to the log what becomes of an app's tasks: one line when a task ends, and at debug when it is received and starts.
///
/// The `worker` command has one; a program that runs a ``Worker`` itself adds it: `app.add(observer: TaskLog(app))`. What ended
/// well is told at info, a retry at warning with its cause, a failure at error with the error. Each line has the same
/// metadata: `task`, `task_id`, `queue`, `node`, and how long the run took as `seconds`; `trace_id` where it belongs to a trace. Of each task so many lines of one kind are
/// written; how many more there were is said later. Arguments are on the debug lines, as far as ``Settings/describesArguments``
/// and ``Settings/redactedArguments`` allow.
public final class TaskLog: WorkerObserver {
    /// What a worker's lines are called.
    public static let label = "chard.task"
    /// So many lines of one kind a second, unless it is said otherwise.
    public static let usualLinesPerSecond = 50.0

    private let app: Chard
    private let logger: Logger
    /// The lowest level of which anything is written: asking a logger costs more.
    private let level: Logger.Level
    private let budget: Mutex<LogBudget>
    private let pause: Duration

    /// Makes a log of what workers of `app` do.
    ///
    /// - Parameters:
    ///   - app: Whose settings say what is shown of arguments.
    ///   - linesPerSecond: How many lines of one task and one kind (well, again, badly) are written on average; ten times as many
    ///     may come at once.
    ///   - logger: Where the lines go.
    public convenience init(
        _ app: Chard, linesPerSecond: Double = usualLinesPerSecond, logger: Logger = Logger(label: label)
    ) {
        self.init(app, linesPerSecond: linesPerSecond, pause: .seconds(10), logger: logger)
    }

    init(_ app: Chard, linesPerSecond: Double, pause: Duration, logger: Logger) {
        self.app = app
        self.logger = logger
        level = logger.logLevel
        budget = Mutex(LogBudget(linesPerSecond: linesPerSecond))
        self.pause = pause
    }

    /// Writes, at debug, what was received.
    public func taken(_ deliveries: [Delivery], by hold: WorkerHold) {
        guard level <= .debug else { return }
        for delivery in deliveries {
            let identity = MessageIdentity(delivery.payload)
            logger.debug(
                "received", metadata: metadata(identity.task, identity.id, delivery.queue, hold.node, nil))
        }
    }

    /// Writes, at debug, what starts.
    public func runStarted(_ message: TaskMessage, _ delivery: Delivery, by hold: WorkerHold) {
        guard level <= .debug else { return }
        var metadata = metadata(of: message, delivery, hold.node, nil)
        if let traceID = message.traceID { metadata[LogKey.traceID] = .string(traceID) }
        if app.argumentTexts.isShown, let body = try? message.decodeBody(limits: app.settings.limits) {
            let texts = app.argumentTexts
            metadata["args"] = texts.positional(body, of: app.parameters(of: message.task)).map { "\($0)" }
            if !body.keywords.isEmpty { metadata["kwargs"] = texts.keywords(body).map { "\($0)" } }
        }
        if message.losses > 0 { metadata["losses"] = .stringConvertible(message.losses) }
        logger.debug("started, attempt \(message.retries + 1)", metadata: metadata)
    }

    /// Writes what a delivery has come to.
    public func ended(
        _ outcome: Outcome, of message: TaskMessage?, _ delivery: Delivery, after duration: Duration,
        by hold: WorkerHold
    ) {
        let level = Self.level(of: outcome)
        guard self.level <= level else { return }
        let identity = message == nil ? MessageIdentity(delivery.payload) : nil
        let task = message?.shadow ?? message?.task ?? identity?.task
        guard mayWrite(of: task ?? "", level) else { return }
        var metadata = metadata(task, message?.id ?? identity?.id, delivery.queue, hold.node, duration)
        if let traceID = message?.traceID { metadata[LogKey.traceID] = .string(traceID) }
        if let error = Self.error(of: outcome) { metadata[LogKey.error] = "\(error.shortened(to: 2_000).printable())" }
        logger.log(level: level, "\(text(for: outcome, of: message, after: duration))", metadata: metadata)
    }

    /// Writes where an end was not written, because another worker has the task by now.
    public func settled(_ delivery: Delivery, _ receipt: Receipt, by hold: WorkerHold) {
        guard receipt.end == .fenced, level <= .warning else { return }
        let identity = MessageIdentity(delivery.payload)
        guard mayWrite(of: identity.task ?? "", .warning) else { return }
        logger.warning(
            "the end of a task counts for nothing: its lease was lost, and another worker has it",
            metadata: metadata(identity.task, identity.id, delivery.queue, hold.node, nil))
    }

    /// Says what was left out.
    public func workerStopped(_ node: String, error: (any Error)?) { tellOmissions() }

    // MARK: How much

    private func mayWrite(of task: String, _ level: Logger.Level) -> Bool {
        guard level >= .info else { return true }
        let ending: LogBudget.Ending = level == .info ? .well : level == .warning ? .again : .badly
        switch budget.withLock({ $0.ask(LogBudget.Kind(task: task, ending: ending), at: .now) }) {
        case .write: return true
        case .leaveOut(let isFirst):
            if isFirst {
                Task { [self, pause] in
                    try? await Task.sleep(for: pause)
                    tellOmissions()
                }
            }
            return false
        }
    }

    private func tellOmissions() {
        let now = ContinuousClock.now
        for omission in budget.withLock({ $0.takeOmissions() }) {
            let (level, what): (Logger.Level, String) =
                switch omission.kind.ending {
                case .well: (.info, "ended well")
                case .again: (.warning, "are tried again")
                case .badly: (.error, "failed")
                }
            var metadata: Logger.Metadata = [LogKey.count: .stringConvertible(omission.count)]
            if !omission.kind.task.isEmpty { metadata[LogKey.task] = "\(Self.name(omission.kind.task))" }
            logger.log(
                level: level,
                "\(omission.count) more \(what) in \((now - omission.since).wording); their lines are left out",
                metadata: metadata)
        }
    }

    // MARK: What is said

    private static func level(of outcome: Outcome) -> Logger.Level {
        switch outcome {
        case .success, .replaced, .revoked, .ignored: .info
        case .retry, .requeued, .rejected: .warning
        case .failure, .unreadable: .error
        case .tooEarly, .rateLimited, .returned: .debug
        }
    }

    private static func error(of outcome: Outcome) -> String? {
        switch outcome {
        case .failure(let error, _), .retry(_, let error): "\(error)"
        case .unreadable(let error): "\(error)"
        case .rejected(let why): why
        case .success, .replaced, .revoked, .ignored, .requeued, .tooEarly, .rateLimited, .returned: nil
        }
    }

    private func text(for outcome: Outcome, of message: TaskMessage?, after duration: Duration) -> String {
        switch outcome {
        case .success: return "succeeded in \(duration.wording)"
        case .failure(_, let reason):
            return "failed after \(duration.wording)\(reason.map { "; kept as a dead letter (\($0.rawValue))" } ?? "")"
        case .retry(let date, _):
            let next = "attempt \((message?.retries ?? 0) + 2)\(most(of: message).map { " of \($0)" } ?? "")"
            return "retry in \(wait(until: date)), \(next)"
        case .replaced: return "replaced by a workflow after \(duration.wording)"
        case .revoked(let word):
            return word == "terminated" ? "terminated after \(duration.wording)" : "\(word), and not run"
        case .ignored: return "ended after \(duration.wording), without a result"
        case .rejected: return "rejected after \(duration.wording); kept as a dead letter"
        case .requeued(let date): return "sent back to its queue, for \(wait(until: date)) from now"
        case .unreadable: return "cannot be read; kept as a dead letter"
        case .rateLimited(let date): return "over its rate; waits for its turn, for \(wait(until: date))"
        case .tooEarly(let date): return "waits for its time, in \(wait(until: date))"
        case .returned: return "handed back after \(duration.wording), since the worker ends"
        }
    }

    private func wait(until date: Date) -> String {
        (Duration(untrusted: date.timeIntervalSince(app.settings.now())) ?? .zero).wording
    }

    /// How many attempts there may be, if that is known.
    private func most(of message: TaskMessage?) -> Int? {
        guard let message, let retries = (message.retryPolicy ?? app.options(of: message.task)?.retry)?.maxRetries,
            retries < 1_000_000
        else { return nil }
        return retries + 1
    }

    private func metadata(
        of message: TaskMessage, _ delivery: Delivery, _ node: String, _ duration: Duration?
    ) -> Logger.Metadata {
        metadata(message.shadow ?? message.task, message.id, delivery.queue, node, duration)
    }

    private func metadata(
        _ task: String?, _ id: String?, _ queue: String, _ node: String, _ duration: Duration?
    ) -> Logger.Metadata {
        var metadata: Logger.Metadata = [LogKey.queue: "\(Self.name(queue))", LogKey.node: "\(Self.name(node))"]
        if let task { metadata[LogKey.task] = "\(Self.name(task))" }
        if let id { metadata[LogKey.taskID] = "\(Self.name(id))" }
        if let duration { metadata["seconds"] = .stringConvertible((duration.seconds * 1e6).rounded() / 1e6) }
        return metadata
    }

    /// A name as it may stand in a line: what came in a message may be anything.
    private static func name(_ text: String) -> String { text.shortened(to: 200).printable() }
}
