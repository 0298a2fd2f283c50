// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Holds up whoever waits at it until it is opened, and counts who came.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var arrivals = 0
        var waiters: [AsyncStream<Never>.Continuation] = []
    }

    private let state = Mutex(State())

    /// How many have come so far.
    var arrivals: Int { state.withLock { $0.arrivals } }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.finish() }
    }

    /// Waits for the opening; throws when the waiting task is cancelled.
    func pass() async throws {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        let isOpen = state.withLock { state in
            state.arrivals += 1
            if !state.isOpen { state.waiters.append(continuation) }
            return state.isOpen
        }
        if isOpen { return }
        for await _ in stream {}
        try Task.checkCancellation()
    }

    /// Waits for the opening whatever happens, as a body does that ignores its cancellation.
    func passStubbornly() async {
        await Task { try? await pass() }.value
    }

    /// Waits for the opening with the thread held, at most 20 seconds; returns whether it came.
    func block() -> Bool {
        let opened = DispatchSemaphore(value: 0)
        Task {
            try? await pass()
            opened.signal()
        }
        return opened.wait(timeout: .now() + 20) == .success
    }
}

/// What happened, in order, told from anywhere.
final class Recorder<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])

    var all: [Element] { state.withLock { $0 } }
    var count: Int { state.withLock { $0.count } }

    func add(_ element: Element) {
        state.withLock { $0.append(element) }
    }
}

/// How many are at something at once, now and at most.
final class Crowd: Sendable {
    private let state = Mutex((now: 0, most: 0))

    var now: Int { state.withLock { $0.now } }
    var most: Int { state.withLock { $0.most } }

    func enter() {
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
        }
    }

    func leave() {
        state.withLock { $0.now -= 1 }
    }
}
