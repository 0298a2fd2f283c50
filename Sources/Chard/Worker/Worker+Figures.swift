// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How a worker does at one moment: what gauges and probes ask for.
public struct WorkerFigures: Sendable, Hashable {
    /// How many tasks it runs at once.
    public var slots = 0
    /// How many run.
    public var running = 0
    /// How many messages it has in hand, those that run and those whose end is being written among them.
    public var held = 0
    /// How many it may have in hand: what its slots get through in 20 ms, and at least one for each.
    public var window = 0
    /// Whether it takes work: it has a hold on its broker, and does not end.
    public var isConsuming = false
    /// For how long its claims have had no answer although the broker can be reached, where that is too long; else zero.
    public var stalled = Duration.zero

    /// Makes the figures of a worker that does nothing.
    public init() {}
}

extension Worker {
    /// How it does just now. Costs nothing while nobody asks.
    public var figures: WorkerFigures { sessions.figures }

    /// Whether the thread that claims, settles and renews answers within `patience`: what no body can keep it from. `nil` where the
    /// worker does not run, yet or any more.
    public func answers(within patience: Duration) async -> Bool? {
        guard let control = controlThread.withLock({ $0 }) else { return nil }
        return await Deadline.result(within: patience, on: control) {} != nil
    }
}

extension WorkerSessions {
    /// How all sessions do, taken together.
    var figures: WorkerFigures {
        let snapshot = snapshot
        var figures = WorkerFigures()
        figures.slots = snapshot.concurrency
        for session in snapshot.sessions {
            let (running, held, window) = session.bench.figures
            figures.running += running
            figures.held += held
            figures.window += window
        }
        figures.isConsuming = snapshot.current?.bench.isTaking ?? false
        figures.stalled = snapshot.current?.consumer.stalled ?? .zero
        return figures
    }
}
