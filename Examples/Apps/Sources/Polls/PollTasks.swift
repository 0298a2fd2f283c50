// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import Logging

/// What is done without anybody waiting for it.
struct PollTasks: TaskSet {
    /// Closes a poll, at its time. Nobody asks what came of it, so no result is kept.
    let close: TaskHandle<Void, Int64>
    /// Removes polls that were closed so many days ago.
    let forget: TaskHandle<Void, Int>

    init(_ app: Chard) {
        close = app.task("polls.close", options: TaskOptions(ignoresResult: true)) {
            (context: TaskContext, poll: Int64) in
            let store = try context.dependencies.get(Store.self)
            if try await store.close(poll) { context.logger.info("poll \(poll) is closed") }
        }
        forget = app.task("polls.forget", options: TaskOptions(ignoresResult: true)) {
            (context: TaskContext, days: Int) in
            let store = try context.dependencies.get(Store.self)
            let count = try await store.forget(closedBefore: Date() - Double(days) * 86_400)
            context.logger.info("\(count) polls that were closed \(days) days ago are forgotten")
        }
        app.cron("15 3 * * *", run: forget, 30)
    }
}
