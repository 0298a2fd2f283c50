// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite
import Synchronization

/// How many pages SQLite's log had after the last commit of a connection, those of other processes among them.
final class LogPages: Sendable {
    private let pages = Atomic(0)

    var count: Int {
        get { pages.load(ordering: .relaxed) }
        set { pages.store(newValue, ordering: .relaxed) }
    }

    /// Has a connection tell them. It then copies nothing by itself any more, as that is done by SQLite's own hook of this kind.
    func watch(_ db: Database) {
        // The connection's configuration refers to this, so it is there for as long as the connection is.
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_wal_hook(
            db.sqliteConnection,
            { context, _, _, count in
                if let context { Unmanaged<LogPages>.fromOpaque(context).takeUnretainedValue().count = Int(count) }
                return SQLITE_OK
            }, context)
    }
}
