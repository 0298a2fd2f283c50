// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

/// Gives the service manager its signs of life, for as long as `/live` would say so: on a queue of its own, that no body can
/// keep busy.
final class Watchdog: Sendable {
    private let source: any ProbeSource
    private let manager: ServiceManager
    private let interval: Duration
    private let executor = QueueExecutor("chard.watchdog")
    private let timer = DispatchQueue(label: "chard.watchdog.timer")
    private let state = Mutex(State())

    private struct State {
        var isAsking = false
        var isOver = false
        var problem: String?
    }

    /// Begins; `nil` where nobody waits for signs of life.
    init?(_ source: any ProbeSource, for manager: ServiceManager?) {
        guard let manager, let patience = manager.watchdog else { return nil }
        self.source = source
        self.manager = manager
        // As systemd advises; the second try is for an answer that takes its time.
        interval = patience / 3
        timer.async { [self] in tick() }
    }

    private func tick() {
        let (isOver, isFree) = state.withLock { state in
            defer { state.isAsking = true }
            return (state.isOver, !state.isAsking)
        }
        if isOver { return }
        timer.asyncAfter(deadline: .now() + interval.seconds) { [self] in tick() }
        guard isFree else { return }
        Task(executorPreference: executor) { [self] in
            let problem = await source.whyNotLive()
            let (isOver, isNews) = state.withLock { state in
                defer {
                    state.isAsking = false
                    state.problem = problem
                }
                return (state.isOver, problem != state.problem)
            }
            guard !isOver else { return }
            if problem == nil { manager.tell("WATCHDOG=1") }
            if isNews { manager.tell("STATUS=\(problem.map { "does not live: \($0)" } ?? "lives again")".oneLine) }
        }
    }

    /// Gives no more of them.
    func end() {
        state.withLock { $0.isOver = true }
    }
}

extension String {
    /// A line of what is told must not become two.
    fileprivate var oneLine: String { replacing("\n", with: "; ") }
}
