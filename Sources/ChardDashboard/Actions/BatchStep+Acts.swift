// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BatchStep {
    /// What is done to each of a kind, by the word for it: see ``Selection/Kind/acts``.
    ///
    /// - Parameter time: Where to it is moved.
    static func make(
        _ act: String, _ kind: Selection.Kind, by operation: Operator, app: Chard, to time: Date? = nil
    ) -> BatchStep {
        BatchStep(deed: act) { id in
            switch (kind, act) {
            case (.tasks, "retry"):
                let retry = try await operation.tasks.retry(id)
                if case .nothing(let why) = retry { return .refused(why) }
                return .changed
            case (.tasks, "run"), (.delayed, "run"):
                return try await operation.delayedTasks.runNow(id) ? .changed : gone
            case (.tasks, "cancel"): return try await cancel(id, operation, app)
            case (.tasks, "delete"):
                return try await operation.tasks.delete(id)
                    ? .changed : .refused("nothing is kept of it any more, or it waits or runs: those are cancelled")
            case (.delayed, "cancel"): return try await operation.delayedTasks.cancel(id) ? .changed : gone
            case (.delayed, "move"):
                guard let time else { return .refused("no time is given") }
                return try await operation.delayedTasks.move(id, to: time) ? .changed : gone
            case (.dead, "requeue"): return try await operation.deadLetters.requeue(id) ? .changed : gone
            case (.dead, "drop"): return try await operation.deadLetters.drop(id) ? .changed : gone
            default: return .refused("\(act) cannot be done to \(kind.rawValue)")
            }
        }
    }

    private static let gone = End.refused("it was not there any more: its time has come, or somebody else was first")

    /// Calls a task off that is not over.
    private static func cancel(_ id: String, _ operation: Operator, _ app: Chard) async throws -> End {
        if try await operation.delayedTasks.cancel(id) { return .changed }
        if let state = try await app.results.status(of: id)?.state, state.isReady {
            return .refused("it is over: \(state.rawValue)")
        }
        try await operation.tasks.cancel(id)
        return .changed
    }
}
