// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A run of a task that was lost so often that its next loss is its last: see ``LastChanceTurn``.
///
/// If the process goes down, it is then known which of them it was. One that has run for a while without bringing the
/// process down lets the next one start.
final class LastChance: Sendable {
    private static let trial: Duration = .seconds(2)

    private let bench: Workbench
    private let isOver = Mutex(false)
    private let timer: Mutex<Task<Void, any Error>?> = Mutex(nil)

    init(_ bench: Workbench, on control: any ControlExecutor) {
        self.bench = bench
        let task = Task(executorPreference: control) { [weak self] in
            try await control.sleep(for: Self.trial)
            self?.end()
        }
        timer.withLock { $0 = task }
    }

    /// Lets the next one start, once.
    func end() {
        let isFirst = isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
        guard isFirst else { return }
        timer.withLock { $0 }?.cancel()
        bench.leaveLastChance()
    }
}
