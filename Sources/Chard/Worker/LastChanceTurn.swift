// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The turn of the tasks on their last chance, of which one starts at a time in a process, in whatever session.
final class LastChanceTurn: Sendable {
    private struct State {
        var isTaken = false
        /// In the order in which they asked. Each says whether it has started somebody.
        var waiting: [@Sendable () -> Bool] = []
    }

    private let state = Mutex(State())

    /// Takes the turn; where somebody has it, `start` is called when it may be free.
    func take(orElse start: @escaping @Sendable () -> Bool) -> Bool {
        state.withLock { state in
            if state.isTaken { state.waiting.append(start) }
            defer { state.isTaken = true }
            return !state.isTaken
        }
    }

    /// The one that had it has ended, or has run long enough to be trusted.
    func giveBack() {
        state.withLock { $0.isTaken = false }
        while let start = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) {
            if start() { return }
        }
    }
}
