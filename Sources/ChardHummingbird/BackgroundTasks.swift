// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import ServiceLifecycle
import Synchronization

/// Runs what requests have left, in this process, once their responses have been sent.
///
/// What one request has left runs in order; what several have left runs side by side. Async bodies run as tasks, blocking ones on
/// threads of their own, so that none of them holds up a connection. Nothing of it is kept anywhere: what must survive the end
/// of the process is enqueued instead.
///
/// Give it to the application as a service, and a graceful shutdown waits for what still runs, up to `grace`:
/// ```swift
/// let background = BackgroundTasks(app)
/// router.add(middleware: TasksMiddleware(app, background: background))
/// site.addServices(background)
/// ```
public final class BackgroundTasks: Service {
    /// What becomes of what a request has left behind a task that fails.
    public enum AfterFailure: Sendable, Hashable {
        /// It does not run, and the log names it.
        case stops
        /// It runs.
        case goesOn
    }

    private struct State {
        /// What has not ended yet, by the number of its request, with the names of its tasks.
        var open: [Int: (names: [String], task: Task<Void, Never>?)] = [:]
        var last = 0
        var idle: [CheckedContinuation<Void, Never>] = []
    }

    private let runs: LocalRuns
    private let afterFailure: AfterFailure
    private let grace: Duration
    private let logger: Logger
    private let state = Mutex(State())

    /// Makes a place for what requests leave.
    ///
    /// - Parameters:
    ///   - app: The app whose tasks are run; its dependencies are made with the first run.
    ///   - afterFailure: What becomes of what stands behind a task that fails, its retries included.
    ///   - grace: For how long a graceful shutdown waits for what runs.
    ///   - logger: Told of failures, and of what a shutdown has cut off.
    public init(
        _ app: Chard, afterFailure: AfterFailure = .stops, grace: Duration = .seconds(30),
        logger: Logger = Logger(label: "chard.background")
    ) {
        runs = LocalRuns(app)
        self.afterFailure = afterFailure
        self.grace = grace
        self.logger = logger
    }

    /// How many requests have left something that has not ended yet.
    public var count: Int { state.withLock { $0.open.count } }

    /// Waits for the graceful shutdown, then for what runs, and ends what the time of grace does not suffice for.
    public func run() async throws {
        try? await gracefulShutdown()
        let timer = Task {
            try await Task.sleep(for: grace)
            let open = state.withLock { Array($0.open.values) }
            for (names, task) in open {
                logger.error(
                    "cut off by the shutdown, and lost: \(names.joined(separator: ", "))",
                    metadata: ["grace": "\(grace)"])
                task?.cancel()
            }
            // A body that does not obey must not keep the process.
            try await Task.sleep(for: .seconds(1))
            wakeAll()
        }
        await untilIdle()
        timer.cancel()
    }

    func take(_ calls: [LocalCall]) {
        let number = state.withLock { state in
            state.last += 1
            state.open[state.last] = (calls.map(\.task), nil)
            return state.last
        }
        let task = Task { [self] in
            await run(calls, number)
            wake(
                state.withLock { state in
                    state.open[number] = nil
                    return Self.takeIdle(&state)
                })
        }
        state.withLock { $0.open[number]?.task = task }
    }

    private func run(_ calls: [LocalCall], _ number: Int) async {
        for (place, call) in calls.enumerated() {
            do {
                try await runs.run(call)
            } catch {
                let behind = calls[(place + 1)...].map(\.task)
                let isOver = afterFailure == .stops && !behind.isEmpty
                logger.error(
                    "a background task failed\(isOver ? "; not run behind it: \(behind.joined(separator: ", "))" : "")",
                    metadata: ["task": "\(call.task)", "id": "\(call.id)", "error": "\(error)"])
                if afterFailure == .stops || Task.isCancelled { return }
            }
            state.withLock { _ = $0.open[number]?.names.removeFirst() }
        }
    }

    private func untilIdle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if !state.open.isEmpty { state.idle.append(continuation) }
                return state.open.isEmpty
            }
            if isIdle { continuation.resume() }
        }
    }

    private func wakeAll() {
        wake(
            state.withLock { state in
                state.open = [:]
                return Self.takeIdle(&state)
            })
    }

    private static func takeIdle(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard state.open.isEmpty else { return [] }
        defer { state.idle = [] }
        return state.idle
    }

    private func wake(_ waiters: [CheckedContinuation<Void, Never>]) {
        for waiter in waiters { waiter.resume() }
    }
}
