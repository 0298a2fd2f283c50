// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A call that is to run in this process, whatever its types are.
package struct LocalCall: Sendable {
    /// The task's name.
    package let task: String
    /// The id that the run will have.
    package var id: String { message.id }

    fileprivate let message: TaskMessage
}

extension Signature {
    /// The call for a run in this process, of which no result is kept.
    /// - Throws: ``AppError`` where the task's code is elsewhere: nothing here could run it.
    package func local(in app: Chard) throws -> LocalCall {
        guard app.registry[task] != nil else {
            throw AppError(
                "cannot run \(task) in this process: it is not registered here; register it, or enqueue it for a worker that has it"
            )
        }
        // Nobody lists what waits here, and looks at its arguments.
        var message = try app.message(
            for: call, now: app.settings.now(), parent: nil, texts: ArgumentTexts(isShown: false))
        message.ignoresResult = true
        return LocalCall(task: task, message: message)
    }
}

/// Runs calls in this process, with no broker: the way through a worker, from decoding to retries, which are waited for.
package final class LocalRuns: Sendable {
    private let app: Chard
    private let runner: ImmediateMode

    /// Makes a place for runs; the app's dependencies are made with the first one.
    package init(_ app: Chard) {
        self.app = app
        runner = ImmediateMode(app, failures: .thrown, waits: true, node: "background")
    }

    /// Runs a call, and all retries of it, to its end.
    /// - Throws: ``TaskError`` if it has failed.
    package func run(_ call: LocalCall) async throws {
        try await runner.runUnsent(call.message, of: app)
    }
}
