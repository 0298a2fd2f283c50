// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

/// Who wants to know that schedules have changed. Lives on the engine's thread.
struct ScheduleWatchers {
    private var watchers: [String: @Sendable () -> Void] = [:]
    /// The number of the last change that was told.
    private var last = 0

    var isEmpty: Bool { watchers.isEmpty }

    /// Calls `watcher` at each change from now on.
    mutating func add(_ name: String, _ watcher: @escaping @Sendable () -> Void, _ db: Database) throws {
        watchers[name] = watcher
        // Those who watch already must not miss what came in between.
        if watchers.count > 1 { return try tell(db) }
        forgetWhatWasTold()
        last = try StoredSchedule.revision(db)
    }

    mutating func remove(_ name: String) {
        watchers[name] = nil
    }

    /// Tells of changes, if there are any.
    mutating func tell(_ db: Database) throws {
        guard !isEmpty else { return }
        let revision = try StoredSchedule.revision(db)
        guard revision != last else { return }
        last = revision
        for watcher in watchers.values { watcher() }
    }

    /// Begins anew, with another file: whatever is in it is a change.
    mutating func forgetWhatWasTold() {
        last = -1
    }
}
