// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Stops a worker on SIGTERM, SIGINT, SIGQUIT and SIGHUP.
///
/// It works on a queue of its own, so that tasks which keep every thread of Swift's pool busy cannot keep a signal from
/// being obeyed. If they keep the worker itself from ending, the process ends without it: its lease lapses, and what it
/// held runs again elsewhere.
final class StopSignals: Sendable {
    private static let patience = 5.0

    private let worker: Worker
    private let output: Output
    private let onStop: @Sendable () -> Void
    private let queue: DispatchQueue
    private let state = Mutex(State())
    private let sources = Mutex<SignalSources?>(nil)

    private struct State {
        var wasAsked = false
        var isOver = false
    }

    /// - Parameter onStop: Is called once, for the first signal.
    init(stopping worker: Worker, output: Output, onStop: @escaping @Sendable () -> Void = {}) {
        self.worker = worker
        self.output = output
        self.onStop = onStop
        queue = DispatchQueue(label: "chard.signals")
        let numbers = [SIGTERM, SIGINT, SIGQUIT] + SignalSources.hangUp
        let sources = SignalSources(numbers, on: queue) { [weak self] in self?.obey($0) }
        self.sources.withLock { $0 = sources }
    }

    /// Ends a child whose supervisor is gone: at once, since nobody would stop it later.
    static func endWithSupervisor(_ worker: Worker?) {
        worker?.stop(.now)
        DispatchQueue(label: "chard.orphan").asyncAfter(deadline: .now() + 3) { endNow(.failed) }
    }

    static func endNow(_ status: CommandStatus) {
        _exit(status.rawValue)
    }

    /// Lets go: the worker has ended by itself.
    func cancel() {
        state.withLock { $0.isOver = true }
        sources.withLock { $0 }?.cancel()
    }

    private func obey(_ number: Int32) {
        let isFirst = state.withLock { state in
            defer { state.wasAsked = true }
            return !state.wasAsked
        }
        if isFirst { onStop() }
        guard isFirst, number != SIGQUIT else {
            output.talk("\(worker.node) stops now: what runs is handed back")
            endTheProcess(after: Self.patience)
            return worker.stop(.now)
        }
        let grace = worker.options.gracePeriod.seconds
        let running = worker.vitals.running.count
        let outlook =
            "\(Words.count(running, "running task")) may finish within \(Words.duration(grace)); another signal ends that"
        output.talk("\(worker.node) stops: \(running == 0 ? "nothing runs" : outlook)")
        endTheProcess(after: grace + Self.patience)
        worker.stop(.gracefully)
    }

    /// Everything has been handed back, but tasks that never yield keep the program from coming to its end.
    private func endOnceTheWorkerHas() {
        queue.asyncAfter(deadline: .now() + 0.5) { [self] in
            guard !state.withLock({ $0.isOver }) else { return }
            if worker.hasEnded { Self.endNow(.done) }
            endOnceTheWorkerHas()
        }
    }

    private func endTheProcess(after seconds: Double) {
        endOnceTheWorkerHas()
        queue.asyncAfter(deadline: .now() + seconds) { [self] in
            guard !state.withLock({ $0.isOver }) else { return }
            output.talk("\(worker.node) ends by force: its tasks do not yield; they run again elsewhere")
            Self.endNow(.failed)
        }
    }
}
