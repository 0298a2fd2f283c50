// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

/// Opens the file: looks at what is there before anything is written, so that what is not ours stays as it is.
struct DatabaseFile: Sendable {
    let location: SQLiteLocation
    let settings: SQLiteSettings
    /// How its connections wait for others.
    let wait: BusyWait
    /// The length of its log.
    let pages = LogPages()

    init(location: SQLiteLocation, settings: SQLiteSettings) {
        self.location = location
        self.settings = settings
        wait = BusyWait(settings.busyTimeout)
    }

    private var path: String { location.path }

    /// Opens the file, made or brought up to date where needed.
    func open() throws(BrokerError) -> DatabasePool {
        do {
            try look()
            return try settled {
                let pool = try DatabasePool(path: path, configuration: configuration)
                try pool.writeWithoutTransaction { db in try Schema.prepare(db, at: path) }
                return pool
            }
        } catch {
            throw BrokerError(error, at: path)
        }
    }

    /// Tries again while others are opening the same file: switching to the write-ahead log takes it alone for a moment,
    /// and SQLite does not wait for that moment by itself.
    private func settled<Value>(_ body: () throws -> Value) throws -> Value {
        let deadline = ContinuousClock.now + settings.busyTimeout
        while true {
            do {
                return try body()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && .now < deadline {
                BusyWait.pause(try: 10)
            }
        }
    }

    private func look() throws {
        let folder = SystemFile(location.folder)
        guard folder.isFolder else {
            throw BrokerError(
                .unauthorized, "\(path) cannot be made: there is no folder \(location.folder); make it, or name another"
            )
        }
        let file = SystemFile(path)
        guard !file.isFolder else {
            throw BrokerError(.unauthorized, "\(path) is a folder; name a file in it, such as \(path)/tasks.db")
        }
        guard folder.isWritable, !file.exists || file.isReadable && file.isWritable else {
            throw BrokerError(
                .unauthorized,
                "\(path) cannot be written; give this user the right to write it and its folder, or name another file")
        }
        guard file.exists else { return }
        guard file.isRegular else { throw BrokerError(.unauthorized, "\(path) is no regular file; name another") }
        if file.size > 0 { try examine(file) }
    }

    private func examine(_ file: SystemFile) throws {
        guard file.head(16) == Array("SQLite format 3\0".utf8) else {
            throw BrokerError(.damaged, "\(path) is no SQLite database; name another file")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = self.configuration.busyMode
        try settled {
            try DatabaseQueue(path: path, configuration: configuration).read { db in
                try Self.check(db, at: path)
            }
        }
    }

    private var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "chard.sqlite"
        configuration.maximumReaderCount = 2
        configuration.busyMode = .callback(wait.shouldTryAgain)
        // A transaction that cannot even be rolled back must not end the process: the next one tries again.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { [settings, pages] db in
            guard !db.configuration.readonly else { return }
            // Has an effect only before the first table: free pages at the end can be given back to the system.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            // Ids are random, so statuses are written all over their index. A large cache keeps the index in memory; a long log
            // lets many writes change a page before that is copied to the file once.
            try db.execute(sql: "PRAGMA cache_size = -16384")
            pages.watch(db)
            try db.execute(sql: "PRAGMA journal_size_limit = \(WriteAheadLog.length * 4096)")
            if let size = settings.maximumSize {
                try db.execute(sql: "PRAGMA max_page_count = \(max(1, size / 4096))")
            }
            #if canImport(Darwin)
            // There, fsync alone leaves data in the drive's cache.
            try db.execute(sql: "PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1")
            #endif
        }
        return configuration
    }
}
