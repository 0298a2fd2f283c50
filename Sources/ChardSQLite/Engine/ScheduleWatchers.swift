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
        // The others are told of what came in between.
        if watchers.count > 1 { return try tell(db) }
        forgetWhatWasTold()
        last = try ScheduleRecord.revision(db)
    }

    mutating func remove(_ name: String) {
        watchers[name] = nil
    }

    /// Tells of changes, if there are any.
    mutating func tell(_ db: Database) throws {
        guard !isEmpty else { return }
        let revision = try ScheduleRecord.revision(db)
        guard revision != last else { return }
        last = revision
        for watcher in watchers.values { watcher() }
    }

    /// Begins anew, with another file: whatever is in it is a change.
    mutating func forgetWhatWasTold() {
        last = -1
    }
}

extension ScheduleRecord {
    /// The number of the last change of any schedule.
    @Sendable
    static func revision(_ db: Database) throws -> Int {
        try db.value(Int.self, "SELECT value FROM counter WHERE name = 'schedules'") ?? 0
    }
}
