// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Tells Celery's tools what a worker does, once somebody wishes it. Until then it is one atomic read for each run.
///
/// Events are sent beside settling, in batches, and nobody waits for them: those of a broker that is slow or away are left
/// out, and the log says how many.
final class EventSender: Sendable {
    /// How often a worker says that it is there.
    static let interval = 2.0

    private let node: String
    private let broker: any MailboxBroker
    private let control: any ControlExecutor
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let texts: ArgumentTexts
    private let shown: @Sendable (TaskMessage) -> (positional: String, keywords: String)?
    private let clock: LogicalClock
    private let vitals: @Sendable () -> Vitals
    private let writer: EventWriter
    private let buffer = EventBuffer()
    /// Whether tasks' events are sent.
    private let tellsTasks = Atomic(false)
    private let state = Mutex(State())

    private struct State {
        /// Whether the worker's own events are sent: from the first wish on.
        var isOn = false
        var isEnded = false
        var loops: [Task<Void, Never>] = []
    }

    init(
        node: String, broker: any MailboxBroker, control: any ControlExecutor, clock: LogicalClock, logger: Logger,
        now: @escaping @Sendable () -> Date, texts: ArgumentTexts,
        shown: @escaping @Sendable (TaskMessage) -> (positional: String, keywords: String)?,
        vitals: @escaping @Sendable () -> Vitals
    ) {
        self.node = node
        self.broker = broker
        self.control = control
        self.clock = clock
        self.logger = logger
        self.now = now
        self.texts = texts
        self.shown = shown
        self.vitals = vitals
        writer = EventWriter(node: node)
    }

    /// Whether events of tasks are wanted.
    var isOn: Bool { tellsTasks.load(ordering: .relaxed) }

    /// Begins to send events of tasks. Returns whether that is news.
    func turnOn() -> Bool {
        wake()
        return !tellsTasks.exchange(true, ordering: .relaxed)
    }

    /// Begins to say that the worker is there: somebody listens.
    func wake() {
        let isFirst = state.withLock { state in
            if state.isEnded || state.isOn { return false }
            state.isOn = true
            return true
        }
        if isFirst { beginLoops() }
    }

    /// Sends no more of tasks; the worker still says that it is there. Returns whether that is news.
    func turnOff() -> Bool { tellsTasks.exchange(false, ordering: .relaxed) }

    private func beginLoops() {
        let sending = Task(executorPreference: control) { [self] in await send() }
        let beating = Task(executorPreference: control) { [self, control] in
            await tellWorker("worker-online")
            while !Task.isCancelled {
                try? await control.sleep(for: .seconds(Self.interval))
                if !Task.isCancelled { await tellWorker("worker-heartbeat") }
            }
        }
        state.withLock { $0.loops = [sending, beating] }
    }

    /// Sends what is left, and says that the worker is gone.
    func end() async {
        _ = turnOff()
        let loops = state.withLock { state in
            state.isEnded = true
            defer { state.loops = [] }
            return state.loops
        }
        guard loops.count == 2 else { return }
        loops[1].cancel()
        buffer.close()
        await loops[0].value
        await tellWorker("worker-offline")
    }

    private func send() async {
        var reminder = Reminder()
        while let batch = await buffer.next() {
            do {
                try await broker.publish(
                    [UInt8(ascii: "[")] + batch.text + [UInt8(ascii: "]")], "task.multi", from: node)
                if batch.leftOut > 0, reminder.isDue() {
                    logger.warning(
                        "events were left out: the broker was slow or away",
                        metadata: ["node": "\(node)", "count": "\(batch.leftOut)"])
                }
            } catch {
                buffer.lose(batch)
                if reminder.isDue() {
                    logger.warning("events are not sent", metadata: ["node": "\(node)", "error": "\(error)"])
                }
            }
        }
    }

    // MARK: The worker

    /// Says what it does just now. What cannot be sent is not worth a word: the next one comes soon.
    func tellWorker(_ type: StaticString, every seconds: Double = EventSender.interval) async {
        var text = JSONWriter()
        let vitals = vitals()
        let load = Self.load
        writer.write(type, at: now().timeIntervalSince1970, clock: clock.forward(), to: &text) { writer in
            writer.field(#""freq":"#, seconds)
            writer.field(#""active":"#, vitals.running.count)
            writer.field(#""processed":"#, vitals.done)
            writer.raw(#","loadavg":["#)
            for load in load {
                writer.separate()
                writer.number((load * 100).rounded() / 100)
            }
            writer.raw("]")
            writer.field(#""sw_ident":"#, "swift-chard")
            writer.field(#""sw_ver":"#, Chard.version)
            writer.field(#""sw_sys":"#, ControlPanel.system)
        }
        try? await broker.publish(text.bytes, "\(type)".replacing("-", with: "."), from: node)
    }

    private static var load: [Double] {
        var load = [0.0, 0.0, 0.0]
        return getloadavg(&load, 3) == 3 ? load : [0, 0, 0]
    }

    // MARK: Tasks

    private func tell(_ type: StaticString, _ rest: (inout JSONWriter) -> Void) {
        let time = now().timeIntervalSince1970
        buffer.add { writer in self.writer.write(type, at: time, clock: clock.forward(), to: &writer, rest) }
    }

    private func tellRejected(_ id: String, isRequeued: Bool) {
        tell("task-rejected") { writer in
            writer.field(#""uuid":"#, id)
            writer.field(#""requeue":"#, isRequeued)
        }
    }

    private func tellReceived(_ message: TaskMessage) {
        let texts = shown(message)
        tell("task-received") { $0.fields(of: message, texts: texts) }
    }
}

extension EventSender: WorkerObserver {
    /// Received and started at once: what a worker has in hand besides what runs it may give back.
    ///
    /// After a loss first what Celery says of a task that goes back to its queue because the process that ran it is gone. A process
    /// that is killed says nothing any more, and whoever gives back what it held need not be one that sends events.
    func runStarted(_ message: TaskMessage, _ delivery: Delivery, by hold: WorkerHold) {
        if message.losses > 0 { tellRejected(message.id, isRequeued: true) }
        tellReceived(message)
        tell("task-started") { $0.field(#""uuid":"#, message.id) }
    }

    func ended(
        _ outcome: Outcome, of message: TaskMessage?, _ delivery: Delivery, after duration: Duration,
        by hold: WorkerHold
    ) {
        guard let message else { return }
        let id = message.id
        switch outcome {
        case .success(let json):
            let result = texts.isShown ? PythonText.value(json, texts) : "..."
            tell("task-succeeded") { writer in
                writer.field(#""uuid":"#, id)
                writer.field(#""result":"#, result)
                writer.field(#""runtime":"#, duration.seconds)
            }
        case .failure(let error, let reason):
            if let reason, [.notRegistered, .badWorkflow, .workerLost].contains(reason) { tellReceived(message) }
            tellException("task-failed", error, of: message)
        case .retry(_, let cause):
            tellException("task-retried", cause, of: message)
        case .revoked(let word):
            let isTerminated = word == "terminated"
            if !isTerminated { tellReceived(message) }
            tell("task-revoked") { writer in
                writer.field(#""uuid":"#, id)
                writer.field(#""terminated":"#, isTerminated)
                if isTerminated { writer.field(#""signum":"#, 15) } else { writer.field(#""signum":"#, nil) }
                writer.field(#""expired":"#, word == "expired")
            }
        case .rejected, .requeued:
            var isRequeued = false
            if case .requeued = outcome { isRequeued = true }
            tellRejected(id, isRequeued: isRequeued)
        case .replaced, .tooEarly, .rateLimited, .ignored, .unreadable, .returned:
            break
        }
    }

    private func tellException(_ type: StaticString, _ error: TaskError, of message: TaskMessage) {
        let traceback = error.traceback ?? "\(error)\n  in task \(message.task)[\(message.id)] on \(node)\n"
        tell(type) { $0.fields(of: error, traceback, taskID: message.id) }
    }

    /// Tells of tasks that were lost too often, so that nobody will run them who would tell.
    func tellBuried(_ statuses: [StatusRecord]) {
        guard isOn else { return }
        for status in statuses {
            guard let error = status.failure else { continue }
            tell("task-failed") { $0.fields(of: error, "\(error)\n", taskID: status.id) }
        }
    }
}
