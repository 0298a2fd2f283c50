// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging

/// What is done without anybody waiting for it.
struct PollTasks: TaskSet {
    /// Closes a poll, at its time. Nobody asks what came of it, so no result is kept.
    let close: TaskHandle<Void, Int64>

    init(_ app: Chard) {
        close = app.task("polls.close", options: TaskOptions(ignoresResult: true)) {
            (context: TaskContext, poll: Int64) in
            let store = try context.dependencies.get(Store.self)
            if try await store.close(poll) { context.logger.info("poll \(poll) is closed") }
        }
    }
}
