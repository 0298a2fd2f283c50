// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import Pages

/// What is done by the clock.
struct ReviewTasks: TaskSet {
    /// Backs up the table. Returns what has changed since the last time.
    let backup: TaskHandle<String>

    init(_ app: Chard) {
        backup = app.task("reviews.backup") { (context: TaskContext) in
            let store = try context.dependencies.get(Store.self)
            let message = try await context.dependencies.get(Backup.self).make(of: store)
            context.logger.info("backup: \(message)")
            return message
        }
        let seconds = Int(setting("REVIEWS_SECONDS", or: "60")) ?? 60
        // One that has not even begun when the next is due has nothing to add to it.
        app.every(.seconds(max(1, seconds)), run: backup, options: ScheduleOptions(overlap: .skip))
    }
}
