// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

/// One run of one delivery, from bytes to outcome: decode, check, bind, run inside middleware, judge what was thrown.
///
/// It does no I/O of its own but the STARTED status, and leaves writing the outcome to others.
struct Execution: Sendable {
    let registry: [String: RegisteredTask]
    let middleware: [any Middleware]
    let settings: Settings
    let concluder: Concluder
    let dependencies: Dependencies
    let blockingPool: BlockingPool
    let node: String
    let logger: Logger
    let report: @Sendable (TaskStatus) async throws -> Void
    /// The present time by the broker's clock, which decides about ETA and expiry: the worker's own may be off.
    var brokerTime: @Sendable () -> Date
    let isRevoked: @Sendable (String) -> Bool

    /// Reads a delivery. What can be said without running it is decided here.
    func prepare(_ delivery: Delivery) -> Preparation {
        let message: TaskMessage
        do throws(MessageError) {
            if let size = delivery.excerptOf { throw MessageError(tooLarge: size, excerpt: delivery.payload) }
            message = try TaskMessage(decoding: delivery.payload, limits: settings.limits)
        } catch {
            return .decided(.unreadable(error), nil, nil)
        }
        let task = registry[message.task]
        func decide(_ outcome: Outcome) -> Preparation { .decided(outcome, message, task) }
        if isRevoked(message.id) { return decide(.revoked("revoked")) }
        if message.expires != nil || message.eta != nil {
            let now = brokerTime()
            if let expires = message.expires, now >= expires { return decide(.revoked("expired")) }
            // What the broker found due may seem a moment early to a clock that is compared over a network.
            if let eta = message.eta, eta > now + Self.clockError { return decide(.tooEarly(eta)) }
        }
        guard let task else {
            let error = TaskError("NotRegistered", message.task, module: "celery.exceptions")
            return decide(.failure(error, keptAs: .notRegistered))
        }
        do throws(MessageError) {
            let body = try message.decodeBody(limits: settings.limits)
            if let wish = body.embed.wish {
                let error = TaskError(
                    "UnsupportedWorkflow", "this worker cannot carry on the message's \(wish)", module: "chard")
                return decide(.failure(error, keptAs: .unsupportedWorkflow))
            }
            return .ready(task, message, body)
        } catch {
            return decide(.unreadable(error))
        }
    }

    private static let clockError: TimeInterval = 0.005

    enum Preparation {
        /// Not to be run: the outcome, and of what, as far as that could be read.
        case decided(Outcome, TaskMessage?, RegisteredTask?)
        case ready(RegisteredTask, TaskMessage, MessageBody)
    }

    func run(
        _ task: RegisteredTask, _ message: TaskMessage, _ body: MessageBody, delivery: Delivery,
        cancellation: Cancellation
    ) async -> Outcome {
        let context = TaskContext(
            message: message, queue: delivery.queue, node: node, dependencies: dependencies,
            blockingPool: blockingPool, cancellation: cancellation, baseLogger: logger, report: report)
        do {
            if task.options.tracksStart, message.ignoresResult != true { try await reportStart(of: message) }
            let json = try await TaskContext.$current.withValue(context) {
                try await runInside(middleware[...], task, context, body)
            }
            let isStored = !(message.ignoresResult ?? task.options.ignoresResult)
            if isStored, json.count > settings.limits.bodyBytes {
                return .failure(.resultTooLarge(json, settings.limits), keptAs: nil)
            }
            return .success(json)
        } catch {
            return judge(error, of: task, message, cancellation.reason)
        }
    }

    private func runInside(
        _ middleware: ArraySlice<any Middleware>, _ task: RegisteredTask, _ context: TaskContext, _ body: MessageBody
    ) async throws -> [UInt8] {
        guard let outermost = middleware.first else { return try await task.run(context, body) }
        let result = ResultBox()
        try await outermost.run(context) { context in
            result.set(try await runInside(middleware.dropFirst(), task, context, body))
        }
        guard let json = result.value else {
            throw TaskError(
                "MiddlewareError", "\(type(of: outermost)) ended without going on and without throwing", module: "chard"
            )
        }
        return json
    }

    /// Nothing depends on this status: that it cannot be stored is no failure of the task.
    private func reportStart(of message: TaskMessage) async throws {
        let info: JSON = ["pid": .integer(Int(ProcessInfo.processInfo.processIdentifier)), "hostname": .string(node)]
        do {
            try await report(TaskStatus(id: message.id, state: .started, result: info.encoded()))
        } catch let error as BrokerError where error.code != .leaseLost {
            logger.warning("STARTED cannot be stored", metadata: ["task_id": "\(message.id)", "error": "\(error)"])
        }
    }

    /// What a thrown error comes to: interruptions first, then the task's own decision, then its policy.
    private func judge(
        _ error: any Error, of task: RegisteredTask, _ message: TaskMessage, _ cancelled: Cancellation.Reason?
    ) -> Outcome {
        var error = error
        switch cancelled {
        case .shutdown, .leaseLost: return .returned
        case .revoked: return .revoked("terminated")
        case .timeLimit: return .failure(.timeLimitExceeded(message, task), keptAs: nil)
        case .softTimeLimit where error is CancellationError:
            error = TaskError.softTimeLimitExceeded(message, task)
        case .softTimeLimit, nil: break
        }
        if let unbound = error as? UnboundArguments { return .failure(unbound.error, keptAs: .badArguments) }
        if error is Ignore { return .ignored }
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

    private func repeatOrFail(
        _ message: TaskMessage, _ policy: RetryPolicy, after delay: Duration?, because cause: TaskError
    ) -> Outcome {
        guard message.retries < policy.maxRetries else { return .failure(cause, keptAs: .retriesExhausted) }
        let delay = delay ?? policy.delay(afterRetries: message.retries, random: .random(in: 0..<1))
        return .retry(at: brokerTime().addingTimeInterval(max(0, delay.seconds)), cause: cause)
    }
}

/// Carries a result out of a middleware's `next`, which returns nothing. Written and read by one task, one after the
/// other; the lock is for a middleware that goes on from another task.
private final class ResultBox: Sendable {
    private let stored = Mutex<[UInt8]?>(nil)
    var value: [UInt8]? { stored.withLock { $0 } }
    func set(_ json: [UInt8]) { stored.withLock { $0 = json } }
}

extension Embed {
    /// What the message asks for beyond the run, in words; `nil` if nothing.
    var wish: String? {
        if !chain.isEmpty { return "chain" }
        if chord != nil { return "chord" }
        if !callbacks.isEmpty { return "callbacks" }
        return errbacks.isEmpty ? nil : "errbacks"
    }
}

extension TaskError {
    static func softTimeLimitExceeded(_ message: TaskMessage, _ task: RegisteredTask) -> TaskError {
        var error = TaskError("SoftTimeLimitExceeded", "", module: "billiard.exceptions")
        error.arguments = []
        return error
    }

    static func timeLimitExceeded(_ message: TaskMessage, _ task: RegisteredTask) -> TaskError {
        var error = TaskError("TimeLimitExceeded", "", module: "billiard.exceptions")
        error.arguments = RunLimits(message, task).hard.map { [.number($0.seconds)] } ?? []
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

/// The limits of one run: the message's, else the task's. As in Celery, 0 is no limit; nor is what nobody lives to see.
struct RunLimits: Sendable, Hashable {
    var soft: Duration?
    var hard: Duration?

    init(_ message: TaskMessage, _ task: RegisteredTask) {
        soft = Self.limit(message.timeLimits.soft) ?? task.options.softTimeLimit
        hard = Self.limit(message.timeLimits.hard) ?? task.options.timeLimit
    }

    private static func limit(_ seconds: Double?) -> Duration? {
        seconds.flatMap { $0 > 0 ? Duration(untrusted: $0) : nil }
    }
}
