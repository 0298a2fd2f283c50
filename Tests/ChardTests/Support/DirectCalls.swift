// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Testing

@testable import Chard

extension Chard {
    /// Runs a registered task with no worker or broker about, and returns its result as JSON.
    func call(
        _ task: String, _ positional: [JSON] = [], keywords: [String: JSON] = [:]
    ) async throws -> JSON {
        try await call(task, MessageBody(Arguments(positional, keywords: keywords)))
    }

    func call(_ task: String, _ body: MessageBody) async throws -> JSON {
        let registered = try #require(registry[task], "no task \(task)")
        let pool = BlockingPool(limit: 2)
        defer { pool.shutdown() }
        let context = TaskContext.forTests(task: task, dependencies: dependencies, blockingPool: pool)
        return try JSON(parsing: try await registered.run(context, body))
    }

    /// The words of the `TypeError` that these arguments bring; nil if they bind.
    func bindingError(
        _ task: String, _ positional: [JSON] = [], keywords: [String: JSON] = [:]
    ) async -> String? {
        let error = await thrown(UnboundArguments.self) { try await call(task, positional, keywords: keywords) }
        return error?.error.description
    }

    /// What ``validate()`` says, without its heading.
    var problems: [String] {
        do {
            try validate()
            return []
        } catch {
            return error.description.split(separator: "\n").dropFirst().map { String($0.dropFirst(2)) }
        }
    }
}

extension TaskContext {
    static func forTests(
        task: String = "t", dependencies: Dependencies = Dependencies(), blockingPool: BlockingPool,
        cancellation: Cancellation = Cancellation(), logger: Logger = quietLogger,
        report: @escaping @Sendable (TaskStatus) async throws -> Void = { _ in }
    ) -> TaskContext {
        let app = Chard("tests")
        app.task(task) { () in }
        let registered = app.registry[task] ?? { preconditionFailure("no task \(task)") }()
        return TaskContext(
            TaskRun(
                registered, TaskMessage(task: task, id: "id-1", body: MessageBody(), queue: "q"), MessageBody(),
                queue: "q",
                cancellation: cancellation,
                in: Surroundings(
                    node: "n@h", dependencies: dependencies, blockingPool: blockingPool, logger: logger, desk: nil,
                    report: { status, _ in try await report(status) })))
    }
}
