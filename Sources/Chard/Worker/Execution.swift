// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Tracing

/// One run of one delivery, from bytes to outcome: decode, check, bind, run inside middleware, judge what was thrown.
///
/// It does no I/O of its own but the STARTED status, and leaves writing the outcome to others.
struct Execution: Sendable {
    let registry: [String: RegisteredTask]
    let unknownTasks: UnknownTasks
    let middleware: [any Middleware]
    let settings: Settings
    let concluder: Concluder
    /// What bodies see of the worker, behind one reference.
    private let surroundings: TaskContext.Surroundings
    private let report: @Sendable (StatusRecord) async throws -> Void
    /// The present time by the broker's clock, which decides about ETA and expiry: the worker's own may be off.
    var brokerTime: @Sendable () -> Date
    let isRevoked: @Sendable (String) -> Bool
    /// What remote control has changed.
    let timeLimits: TaskTimeLimits
    let revokedStamps: RevokedStamps
    let rates: TaskRates
    /// By which messages are believed; `nil` if by their place alone.
    let signing: MessageSigning?
    /// Whether somebody traces.
    let isTraced = TraceHeaders.isTraced

    /// - Parameters:
    ///   - report: Stores a status on the way.
    ///   - desk: Where steps of bodies are kept; `nil` where the broker keeps none.
    init(
        registry: [String: RegisteredTask], unknownTasks: UnknownTasks, middleware: [any Middleware],
        settings: Settings, concluder: Concluder, dependencies: Dependencies, blockingPool: BlockingPool, node: String,
        logger: Logger, report: @escaping @Sendable (StatusRecord) async throws -> Void, desk: StepDesk?,
        brokerTime: @escaping @Sendable () -> Date, isRevoked: @escaping @Sendable (String) -> Bool,
        timeLimits: TaskTimeLimits = TaskTimeLimits(), revokedStamps: RevokedStamps = RevokedStamps(),
        rates: TaskRates = TaskRates(), signing: MessageSigning? = nil
    ) {
        self.signing = signing
        self.timeLimits = timeLimits
        self.revokedStamps = revokedStamps
        self.rates = rates
        self.registry = registry
        self.unknownTasks = unknownTasks
        self.middleware = middleware
        self.settings = settings
        self.concluder = concluder
        self.report = report
        self.brokerTime = brokerTime
        self.isRevoked = isRevoked
        surroundings = TaskContext.Surroundings(
            node: node, dependencies: dependencies, blockingPool: blockingPool, logger: logger,
            extendsResults: settings.resultExtended, desk: desk
        ) { status, expires in
            let record = StatusRecord(status, timeToLive: expires ?? settings.resultExpires)
            // Where results are kept elsewhere: a body must not fail because that server is away for a moment.
            try await Patience.store([record.id], logger: logger) { try await report(record) }
        }
    }

    /// Reads a delivery. What can be said without running it is decided here.
    func prepare(_ delivery: Delivery) -> Preparation {
        var message: TaskMessage
        do throws(MessageError) {
            if let size = delivery.excerptOf { throw MessageError(tooLarge: size, excerpt: delivery.payload) }
            message = try TaskMessage(decoding: delivery.payload, limits: settings.limits)
            if LossSeal.concerns(message) { message = concluder.seal.trusting(message) }
            // Nothing that such a message says is followed, nobody but its sender having said it.
            try signing?.check(message)
        } catch {
            return .decided(.unreadable(error), nil, nil, nil)
        }
        return prepare(consume message, on: delivery.queue)
    }

    /// The same for a message that was read already, or was never written. It becomes the run's, for to copy it takes a reference
    /// to each of its texts.
    func prepare(_ message: consuming TaskMessage, on queue: String) -> Preparation {
        let task = registry[message.task] ?? BuiltinTask.named(message.task, among: registry)
        if let outcome = decision(on: message) { return decided(outcome, message, task) }
        guard let task else {
            return decided(.failure(unknownTasks.failure(for: message.task), keptAs: .notRegistered), message, nil)
        }
        do throws(MessageError) {
            var body = try message.decodeBody(limits: settings.limits)
            if BuiltinTask.isUnrolled(message.task) { body = BuiltinTask.unrolled(body, of: message.task) }
            if !body.embed.isEmpty, let problem = concluder.problem(with: body.embed) {
                return .decided(.failure(.badWorkflow(problem), keptAs: .badWorkflow), message, task, body.embed)
            }
            return .ready(TaskRun(task, message, consume body, queue: queue, in: surroundings))
        } catch {
            return .decided(.unreadable(error), message, task, message.salvagedEmbed(limits: settings.limits))
        }
    }

    /// What waits for the task is to be told, whatever becomes of it.
    private func decided(_ outcome: Outcome, _ message: TaskMessage, _ task: RegisteredTask?) -> Preparation {
        .decided(outcome, message, task, try? message.decodeBody(limits: settings.limits).embed)
    }

    /// What is decided by a message's headers; `nil` if it may be run.
    private func decision(on message: TaskMessage) -> Outcome? {
        if let losses = message.headers[LossSeal.lostHeader]?.integer {
            let process = message.headers[LossSeal.lostByHeader]?.string
            return .failure(.workerLost(losses, lastBy: process), keptAs: .workerLost)
        }
        if message.headers[Recovery.revokedHeader]?.bool == true || isRevoked(message.id)
            || revokedStamps.revoke(message)
        {
            return .revoked("revoked")
        }
        if isCancelled(message) { return .revoked(TaskError.cancelled) }
        if message.expires != nil || message.eta != nil {
            let now = brokerTime()
            if let expires = message.expires, now >= expires { return .revoked("expired") }
            // What the broker found due may seem a moment early to a clock that is compared over a network.
            if let eta = message.eta, eta > now + Self.clockError { return .tooEarly(eta) }
        }
        return nil
    }

    /// Concludes anew what a join has withheld, by what it has said.
    /// - Returns: `nil` where the same has to come again in a moment.
    func renew(
        _ conclusion: Conclusion, after receipt: Receipt, asking joins: any JoinStore
    ) async throws -> Conclusion? {
        var message = try TaskMessage(decoding: conclusion.settlement.delivery.payload, limits: .held)
        if conclusion.forgetsSteps { message = message.withSteps }
        let body = (try? message.decodeBody(limits: .held)).map { BuiltinTask.unrolled($0, of: message.task) }
        let embed = body?.embed ?? message.salvagedEmbed(limits: .held) ?? Embed()
        let task = registry[message.task] ?? BuiltinTask.named(message.task, among: registry)
        return try await concluder.renew(conclusion, after: receipt, asking: joins, (message, embed, task))
    }

    /// Whether the workflow that a message is a part of was called off.
    private func isCancelled(_ message: TaskMessage) -> Bool { message.workflowOrder.map(isRevoked) ?? false }

    private static let clockError: TimeInterval = 0.005

    enum Preparation {
        /// Not to be run: the outcome, and of what, as far as that was read.
        indirect case decided(Outcome, TaskMessage?, RegisteredTask?, Embed?)
        case ready(TaskRun)
    }

    func run(_ run: TaskRun) async -> Outcome {
        do {
            if run.task.options.tracksStart, run.message.ignoresResult != true {
                try await reportStart(of: run.message, run.task)
            }
            let context = TaskContext(run)
            let json = try await TaskContext.$current.withValue(context) {
                guard let trace = run.trace else { return try await runInside(middleware[...], context) }
                return try await ServiceContext.withValue(trace) { try await runInside(middleware[...], context) }
            }.json
            let isStored = !(run.message.ignoresResult ?? run.task.options.ignoresResult)
            if isStored, json.count > settings.limits.bodyBytes {
                return .failure(.resultTooLarge(json, settings.limits), keptAs: nil)
            }
            return .success(json)
        } catch {
            return judge(error, of: run.task, run.message, run.cancellation.reason)
        }
    }

    private func runInside(
        _ middleware: ArraySlice<any Middleware>, _ context: TaskContext
    ) async throws -> RunResult {
        let run = context.run
        guard let outermost = middleware.first else {
            return RunResult(json: try await run.task.run(context, run.body))
        }
        return try await outermost.run(context) { context in
            try await runInside(middleware.dropFirst(), context)
        }
    }

    /// Nothing depends on this status: that it cannot be stored is no failure of the task.
    private func reportStart(of message: TaskMessage, _ task: RegisteredTask) async throws {
        let info: JSON = [
            "pid": .integer(Int(ProcessInfo.processInfo.processIdentifier)), "hostname": .string(surroundings.node),
        ]
        do {
            var status = TaskStatus(id: message.id, state: .started, result: info.encoded())
            if settings.resultExtended { status.extend(by: message, surroundings.node) }
            try await report(
                StatusRecord(status, timeToLive: task.options.resultExpires ?? settings.resultExpires))
        } catch let error as BrokerError where error.code != .leaseLost {
            surroundings.logger.warning(
                "STARTED cannot be stored", metadata: [LogKey.taskID: "\(message.id)", LogKey.error: "\(error)"])
        }
    }

    /// What a thrown error comes to: interruptions first, then the task's own decision, then its policy.
    private func judge(
        _ error: any Error, of task: RegisteredTask, _ message: TaskMessage, _ cancelled: Cancellation.Reason?
    ) -> Outcome {
        var error = error
        switch cancelled {
        case .shutdown, .leaseLost: return .returned
        case .revoked: return .revoked(isCancelled(message) ? TaskError.cancelled : "terminated")
        case .timeLimit: return .failure(.timeLimitExceeded(limits(of: message, task)), keptAs: nil)
        case .softTimeLimit where error is CancellationError:
            error = TaskError.softTimeLimitExceeded(message, task)
        case .softTimeLimit, nil: break
        }
        if let unbound = error as? UnboundArguments { return .failure(unbound.error, keptAs: .badArguments) }
        if error is Ignore { return .ignored }
        if let replacement = error as? Replacement { return .replaced(replacement) }
        if let reject = error as? Reject {
            return reject.requeue ? .requeued(at: brokerTime().addingTimeInterval(1)) : .rejected(reject.reason)
        }
        let policy = message.retryPolicy ?? task.options.retry
        if let retry = error as? Retry {
            return repeatOrFail(
                message, policy, after: retry.delay,
                because: retry.cause.map(TaskError.init(describing:)) ?? .maxRetriesExceeded(message))
        }
        let failure = TaskError(describing: error)
        switch task.options.onError?(error) ?? .asPolicy {
        case .discard: return .ignored
        case .fail: return .failure(failure, keptAs: nil)
        case .retry(let delay): return repeatOrFail(message, policy, after: delay, because: failure)
        case .asPolicy:
            guard policy.onAnyError else { return .failure(failure, keptAs: nil) }
            return repeatOrFail(message, policy, after: nil, because: failure)
        }
    }

    /// The limits of a run.
    func limits(of message: borrowing TaskMessage, _ task: RegisteredTask) -> RunLimits {
        RunLimits(message, task, changed: timeLimits[task.name])
    }

    private func repeatOrFail(
        _ message: TaskMessage, _ policy: RetryPolicy, after delay: Duration?, because cause: TaskError
    ) -> Outcome {
        guard message.retries < policy.maxRetries else { return .failure(cause, keptAs: .retriesExhausted) }
        let delay = delay ?? policy.delay(afterRetries: message.retries, random: .random(in: 0..<1))
        return .retry(at: brokerTime().addingTimeInterval(max(0, delay.seconds)), cause: cause)
    }
}

extension TaskError {
    static func softTimeLimitExceeded(_ message: TaskMessage, _ task: RegisteredTask) -> TaskError {
        var error = TaskError("SoftTimeLimitExceeded", "", module: "billiard.exceptions")
        error.arguments = []
        return error
    }

    static func timeLimitExceeded(_ limits: RunLimits) -> TaskError {
        var error = TaskError("TimeLimitExceeded", "", module: "billiard.exceptions")
        error.arguments = limits.hard.map { [.number($0.seconds)] } ?? []
        return error
    }

    /// A broker may be unable to take it, and whoever waits for it to read it.
    static func resultTooLarge(_ json: [UInt8], _ limits: MessageLimits) -> TaskError {
        TaskError(
            "ResultTooLarge", "the result is \(json.count) bytes of JSON; no more than \(limits.bodyBytes) are stored",
            module: "chard")
    }

    static func maxRetriesExceeded(_ message: TaskMessage) -> TaskError {
        TaskError(
            "MaxRetriesExceededError", "Can't retry \(message.task)[\(message.id)] after \(message.retries) retries",
            module: "celery.exceptions")
    }
}

/// The limits of one run: the call's own, else those that the task was given while the worker runs, else the task's. As in
/// Celery, 0 is no limit; nor is what nobody lives to see.
struct RunLimits: Sendable, Hashable {
    var soft: Duration?
    var hard: Duration?

    init(
        _ message: borrowing TaskMessage, _ task: RegisteredTask, changed: TaskTimeLimits.Limits? = nil
    ) {
        let (soft, hard) = (Self.limit(message.timeLimits.soft), Self.limit(message.timeLimits.hard))
        let options = task.options
        guard let changed else {
            self.soft = soft ?? options.softTimeLimit
            self.hard = hard ?? options.timeLimit
            return
        }
        // Chard's callers send a task's own limits along.
        self.soft = soft.flatMap { $0 == options.softTimeLimit ? nil : $0 } ?? changed.soft
        self.hard = hard.flatMap { $0 == options.timeLimit ? nil : $0 } ?? changed.hard
    }

    private static func limit(_ seconds: Double?) -> Duration? {
        seconds.flatMap { $0 > 0 ? Duration(untrusted: $0) : nil }
    }
}
