// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

/// A worker's side of remote control: it listens to what is asked of all workers, and answers for its own.
///
/// Nobody has to wait for it: requests are read, matched and answered one after the other beside the worker's own threads; what
/// comes faster than that is left out, and so is what cannot be read.
final class ControlPanel: Sendable {
    /// So many requests may wait for their turn.
    static let mostWaiting = 500

    let worker: any ControlledWorker
    let app: Chard
    let broker: any MailboxBroker
    let logger: Logger
    let clock: LogicalClock
    let autoscale = Mutex<(most: Int, least: Int)?>(nil)
    private let state = Mutex(State())

    private struct State {
        var listener: (any Sendable & AnyObject)?
        var loop: Task<Void, Never>?
        var leftOut = 0
    }

    init(
        _ worker: any ControlledWorker, of app: Chard, on broker: any MailboxBroker, clock: LogicalClock, logger: Logger
    ) {
        self.worker = worker
        self.app = app
        self.broker = broker
        self.clock = clock
        self.logger = logger
    }

    func begin() {
        let (requests, inbox) = AsyncStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingOldest(Self.mostWaiting))
        let loop = Task(executorPreference: QueueExecutor("chard.remote-control")) { [self] in
            for await payload in requests {
                noteLeftOut()
                await handle(payload)
            }
        }
        let listener = broker.requests { [weak self] payload in
            if case .dropped = inbox.yield(payload) { self?.state.withLock { $0.leftOut += 1 } }
        }
        state.withLock { state in
            state.listener = listener
            state.loop = loop
        }
    }

    func end() {
        let loop = state.withLock { state in
            state.listener = nil
            defer { state.loop = nil }
            return state.loop
        }
        loop?.cancel()
    }

    private func noteLeftOut() {
        let leftOut = state.withLock { state in
            defer { state.leftOut = 0 }
            return state.leftOut
        }
        guard leftOut > 0 else { return }
        logger.warning(
            "requests of remote control came faster than they are answered, and were left out",
            metadata: ["node": "\(worker.node)", "count": "\(leftOut)"])
    }

    /// Reads a request and, where this worker is meant, does what it asks for and answers.
    private func handle(_ payload: [UInt8]) async {
        let request: ControlRequest
        do {
            request = try ControlRequest(decoding: payload)
        } catch {
            return logger.debug(
                "a request of remote control cannot be read", metadata: ["node": "\(worker.node)", "error": "\(error)"])
        }
        clock.adjust(to: request.clock)
        guard request.workers.includes(worker.node), let answer = await answer(request), let place = request.replyTo
        else { return }
        do {
            try await broker.answer(ControlReply(node: worker.node, answer: answer), to: place, clock: clock.forward())
        } catch {
            logger.debug(
                "an answer to remote control is lost",
                metadata: ["node": "\(worker.node)", "method": "\(request.method)", "error": "\(error)"])
        }
    }

    /// What is answered; `nil` where Celery answers nothing.
    func answer(_ request: ControlRequest) async -> JSON? {
        do {
            return try await perform(request)
        } catch let error as ControlError {
            logger.debug(
                "remote control asks for what is not done",
                metadata: ["node": "\(worker.node)", "method": "\(request.method.limited)", "error": "\(error.text)"])
            return error.answer
        } catch {
            // The broker is away, or refuses.
            return ControlError(type: "OperationalError", text: "\(error)").answer
        }
    }

    private func perform(_ request: ControlRequest) async throws -> JSON? {
        func arguments(_ required: [String] = [], also others: [String]? = nil) throws(ControlError) -> ControlArguments
        {
            try ControlArguments(request.arguments, of: request.method, required: required, others: others)
        }
        switch request.method {
        case "ping":
            return ["ok": "pong"]
        case "clock":
            return ["clock": .integer(clock.now)]
        case "report":
            _ = try arguments(also: [])
            return ["ok": .string(report)]
        case "conf", "dump_conf":
            return configuration
        case "stats":
            return stats
        case "active_queues":
            _ = try arguments(also: [])
            return .array(worker.queues.map(Self.queue))
        case "registered", "dump_tasks":
            return try registered(arguments())
        case "active", "dump_active":
            return active(isSafe: try arguments().flag("safe"))
        case "reserved", "dump_reserved":
            return reserved
        case "scheduled", "dump_schedule":
            return try await scheduled()
        case "revoked", "dump_revoked":
            return .array(try await broker.revokedTasks(limit: Self.mostRevoked).map(JSON.string))
        case "query_task":
            return try await query(arguments(["ids"]).texts("ids"))
        case "hello":
            return try await hello(arguments(["from_node"]))
        case "revoke":
            return try await revoke(arguments(["task_id"]), isOrdered: request.isOrdered)
        case "terminate":
            return try await revoke(arguments(["signal", "task_id"]), terminating: true)
        case "revoke_by_stamped_headers":
            return try revokeByStamps(arguments(["headers"]))
        case "rate_limit":
            return try setRateLimit(arguments(["task_name", "rate_limit"]))
        case "time_limit":
            return try setTimeLimit(arguments())
        case "pool_grow":
            return try grow(by: arguments().count("n", else: 1))
        case "pool_shrink":
            return try shrink(by: arguments().count("n", else: 1))
        case "autoscale":
            return try autoscale(arguments(also: ["max", "min"]))
        case "add_consumer":
            return try consume(arguments(["queue"]))
        case "cancel_consumer":
            return try cancel(consuming: arguments(["queue"]).text("queue"))
        case "enable_events":
            _ = try arguments(also: [])
            return turnEvents(on: true)
        case "disable_events":
            _ = try arguments(also: [])
            return turnEvents(on: false)
        case "heartbeat":
            _ = try arguments(also: [])
            await worker.sendHeartbeat()
            return .null
        case "shutdown":
            logger.warning("remote control ends this worker", metadata: ["node": "\(worker.node)"])
            worker.shutDown()
            return nil
        case "election":
            // An affair of Python's workers among themselves.
            _ = try arguments(["id", "topic"])
            return .null
        case "pool_restart":
            throw ControlError.value("Pool restarts not enabled")
        case "objgraph":
            throw ControlError(type: "ImportError", text: "Requires the objgraph library")
        case "memsample", "memdump":
            throw ControlError(type: "ImportError", text: "Requires the psutil library")
        default:
            throw ControlError.key(request.method.limited)
        }
    }
}
