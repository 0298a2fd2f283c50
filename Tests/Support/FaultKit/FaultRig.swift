// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import Synchronization
import TestServers

/// What one round plays with: a Redis server, a proxy before it, workers, a producer that remembers what was
/// acknowledged, and the ledger.
public final class FaultRig: Sendable {
    /// What tasks are kept on.
    enum Place: Sendable {
        case server(RedisServer.Configuration)
        /// A primary and a replica, with sentinels.
        case sentinels
    }

    /// The number of the round, from 0: rounds may differ by it.
    let round: Int
    /// Whether the round may take its time.
    let isLong: Bool
    let server: RedisServer
    /// The server with its replica and sentinels, if it has some.
    let setup: SentinelSetup?
    /// How workers and producers find the server.
    let url: String
    let proxy: FaultProxy
    let broker: RedisBroker
    let app: Chard
    private let directory: String
    private let state = Mutex(State())

    private struct State {
        var sent: Set<String> = []
        /// Sent, and not yet seen to have come to an end.
        var pending: Set<String> = []
        var mayFail: Set<String> = []
        var faults: [(id: String, at: Double)] = []
        var recoveries: [Double] = []
        var workers: [Program] = []
        var problems: [String] = []
        var notes: [String] = []
    }

    private init(round: Int, isLong: Bool, server: RedisServer, setup: SentinelSetup?, proxy: FaultProxy) throws {
        self.round = round
        self.isLong = isLong
        self.server = server
        self.setup = setup
        self.proxy = proxy
        url = setup?.url ?? server.url
        broker = RedisBroker(try RedisURL(url))
        app = Chard("producer", broker: broker)
        directory = FileManager.default.temporaryDirectory.path + "/ledger-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// Plays one round and takes the rig down, whatever comes of it.
    static func play(
        _ round: Int, isLong: Bool, on place: Place, _ body: @Sendable (FaultRig) async throws -> Void
    ) async -> FaultOutcome {
        do {
            switch place {
            case .server(let configuration):
                return try await RedisServer.with(configuration) { server in
                    try await play(round, isLong: isLong, on: server, nil, body)
                }
            case .sentinels:
                return try await SentinelSetup.with { setup in
                    try await play(round, isLong: isLong, on: setup.servers[0], setup, body)
                }
            }
        } catch {
            var outcome = FaultOutcome()
            outcome.rounds = 1
            outcome.problems.append("round \(round): \(error)")
            return outcome
        }
    }

    private static func play(
        _ round: Int, isLong: Bool, on server: RedisServer, _ setup: SentinelSetup?,
        _ body: @Sendable (FaultRig) async throws -> Void
    ) async throws -> FaultOutcome {
        let proxy = try await FaultProxy.start(before: server.port)
        let rig = try FaultRig(round: round, isLong: isLong, server: server, setup: setup, proxy: proxy)
        do {
            try await body(rig)
            try await rig.finished()
        } catch {
            rig.problem("\(error)")
        }
        let outcome = rig.outcome
        await rig.end()
        return outcome
    }

    private func end() async {
        for worker in state.withLock({ $0.workers }) { worker.signal(SIGKILL) }
        await broker.shutdown()
        await proxy.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: Workers

    /// Starts a worker, or the supervisor of some, and waits until it is ready.
    @discardableResult
    func worker(
        _ options: [String] = [], throughProxy: Bool = false, environment: [String: String] = [:], waits: Bool = true
    ) async throws -> Program {
        let number = state.withLock { $0.workers.count }
        let concurrency = options.contains("-c") ? [] : ["-c", "4"]
        let worker = try Program(
            "FaultWorker", ["worker", "-n", "fault-\(number)@here"] + concurrency + options,
            environment: environment.merging([
                "CHARD_BROKER_URL": throughProxy ? proxy.url : url, "FAULT_LEDGER": directory,
            ]) { mine, _ in mine })
        state.withLock { $0.workers.append(worker) }
        if waits { try await worker.says(" is ready") }
        return worker
    }

    /// Kills a worker and waits until it is gone.
    func kill(_ worker: Program) async throws {
        worker.signal(SIGKILL)
        try await worker.finished()
    }

    /// Sends a signal to the server and to all workers.
    func signalAll(_ number: Int32) {
        if let server = server.processID { Foundation.kill(server, number) }
        for worker in state.withLock({ $0.workers }) { worker.signal(number) }
    }

    // MARK: Tasks

    /// Sends one task of so many seconds; returns its id once the broker has acknowledged it.
    @discardableResult
    func send(_ task: String, _ seconds: Double = 0, options: EnqueueOptions = EnqueueOptions()) async throws -> String
    {
        try await send(task, Arguments([.number(seconds)]), options: options)
    }

    /// Sends one task with any arguments.
    func send(_ task: String, _ arguments: Arguments, options: EnqueueOptions) async throws -> String {
        let id = try await app.send(task, arguments, options: options).id
        state.withLock {
            $0.sent.insert(id)
            $0.pending.insert(id)
        }
        return id
    }

    /// Sends tasks of a few milliseconds, about 100 a second, for as long as `body` takes. A send that fails is not
    /// repeated: what was not acknowledged was not promised.
    func streaming(_ body: () async throws -> Void) async throws {
        let stream = Task {
            var number = 0
            while !Task.isCancelled {
                number += 1
                _ = try? await send(number % 5 == 0 ? "sleep" : "quick", number % 5 == 0 ? 0.05 : 0)
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
        defer { stream.cancel() }
        try await body()
        stream.cancel()
        await stream.value
    }

    /// What was sent in another way has been acknowledged, and may end as a failure.
    func promised(_ ids: [String]) {
        state.withLock {
            $0.sent.formUnion(ids)
            $0.pending.formUnion(ids)
            $0.mayFail.formUnion(ids)
        }
    }

    /// These may end as failures.
    func mayFail(_ ids: [String]) {
        state.withLock { $0.mayFail.formUnion(ids) }
    }

    /// What was sent so far is not asked for any more, since the server itself has forgotten it.
    func forgetSent() {
        state.withLock {
            $0.sent = []
            $0.pending = []
        }
    }

    /// Of these, what has not come to an end is not asked for any more; returns how many that were.
    func forgive(_ ids: some Sequence<String>) -> Int {
        state.withLock { state in
            let lost = state.pending.intersection(ids)
            state.pending.subtract(lost)
            return lost.count
        }
    }

    /// The time from now to the next start of each of these tasks counts as a recovery.
    func expectRecovery(of ids: [String], since time: Double = LedgerLine.now) {
        state.withLock { state in state.faults += ids.map { ($0, time) } }
    }

    /// Sends a task over a connection of its own; the time until it starts counts as a recovery, unless nothing was wrong.
    func expectService(queue: String? = nil, isRecovery: Bool = true) async throws {
        let time = LedgerLine.now
        let broker = RedisBroker(try RedisURL(url))
        let id = TaskID.random()
        _ = try await Chard("probe", broker: broker).send(
            "quick", Arguments([0]), options: EnqueueOptions(queue: queue, id: id))
        await broker.shutdown()
        state.withLock {
            $0.sent.insert(id)
            $0.pending.insert(id)
        }
        if isRecovery { expectRecovery(of: [id], since: time) }
    }

    // MARK: What comes of it

    var ledger: Ledger { Ledger(in: directory) }

    /// Waits until a task has started, in some process other than `process`, and returns that run.
    @discardableResult
    func started(_ id: String, otherThan process: Int32 = 0, within limit: Duration = .seconds(40)) async throws
        -> Ledger.Run
    {
        var run: Ledger.Run?
        try await eventually("task \(id) starts", within: limit) {
            run = ledger.runs(of: id).last { $0.pid != process }
            if run == nil { try await Task.sleep(for: .milliseconds(15)) }
            return run != nil
        }
        guard let run else { throw TestServerError("no run") }
        return run
    }

    /// Waits until everything that was acknowledged has come to an end. What has not by then is lost.
    /// - Parameter results: Where results are kept, if that is not the broker.
    func finished(within limit: Duration = .seconds(60), in results: (any ResultStore)? = nil) async throws {
        let deadline = ContinuousClock.now + limit
        while case let pending = state.withLock({ $0.pending }), !pending.isEmpty, .now < deadline {
            for id in pending {
                guard let status = try? await (results ?? broker).status(of: id), status.state.isReady else { continue }
                state.withLock { state in
                    state.pending.remove(id)
                    if status.state != .success, !state.mayFail.contains(id) {
                        state.problems.append("task \(id) ended as \(status.state.rawValue): \(status.result)")
                    }
                }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// The identities that hold messages, or are known to have held some.
    func identities() async throws -> Set<String> {
        Set(try await server.cli("HKEYS", "chard:holders").split(separator: "\n").map(String.init))
    }

    /// A recovery that was seen in another way than by one task's start.
    func recovered(after seconds: Double) {
        state.withLock { $0.recoveries.append(seconds) }
    }

    func expect(_ isTrue: Bool, _ expectation: @autoclosure () -> String) {
        if !isTrue { problem("expected was: " + expectation()) }
    }

    func note(_ text: String) {
        state.withLock { $0.notes.append(text) }
    }

    func problem(_ text: String) {
        state.withLock { $0.problems.append(text) }
    }

    private var outcome: FaultOutcome {
        let ledger = ledger
        return state.withLock { state in
            var outcome = FaultOutcome()
            outcome.rounds = 1
            outcome.sent = state.sent.count
            outcome.lost = state.pending.count
            outcome.overlapping = ledger.overlapping
            outcome.again = ledger.again
            outcome.recoveries = state.recoveries
            for fault in state.faults {
                if let recovery = ledger.firstStart(of: fault.id, after: fault.at) {
                    outcome.recoveries.append(recovery)
                } else {
                    state.problems.append("task \(fault.id) did not start again")
                }
            }
            outcome.notes = state.notes
            outcome.problems = state.problems.prefix(5).map { "round \(round): \($0)" }
            if !state.problems.isEmpty || outcome.lost > 0 {
                outcome.problems.append(
                    state.workers.map { "worker \($0.id), status \($0.status.map(String.init) ?? "none"):\n\($0.talk)" }
                        .joined(separator: "\n"))
            }
            return outcome
        }
    }
}
