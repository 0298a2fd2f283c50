// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import GRDB
import Synchronization

/// Opens the file: looks at what is there before anything is written, so that what is not ours stays as it is.
struct DatabaseFile: Sendable {
    let location: SQLiteLocation
    let settings: SQLiteSettings
    /// How its connections wait for others.
    let wait: BusyWait

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
                let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
                let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
                guard application == Schema.application || tables == 0 else {
                    throw BrokerError(
                        .incompatible, "\(path) is the database of another program; name a file of Chard's own")
                }
                try Schema.check(Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0, at: path)
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
        configuration.prepareDatabase { [settings] db in
            guard !db.configuration.readonly else { return }
            // Has an effect only before the first table: free pages at the end can be given back to the system.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            // Ids are random, so statuses are written all over their index: the more of it is in memory, and the more
            // writes meet on one page before it goes from the log to the file, the cheaper each is.
            try db.execute(sql: "PRAGMA cache_size = -16384")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = \(WriteAheadLog.length / 4096)")
            try db.execute(sql: "PRAGMA journal_size_limit = \(WriteAheadLog.length)")
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

/// How to wait for another process that writes: often and briefly, since most writes take a few milliseconds. SQLite's own
/// way is to sleep for up to 100 ms.
final class BusyWait: Sendable {
    private let timeout: Duration
    private let state = Mutex((startedAt: ContinuousClock.now, isBrief: false))

    init(_ timeout: Duration) {
        self.timeout = timeout
    }

    func shouldTryAgain(_ tries: Int) -> Bool {
        let isOver = state.withLock { state in
            if tries == 0 { state.startedAt = .now }
            return .now - state.startedAt >= (state.isBrief ? .milliseconds(10) : timeout)
        }
        if isOver { return false }
        Self.pause(try: tries)
        return true
    }

    /// Does something for which nobody is to wait long.
    func briefly<Value>(_ body: () throws -> Value) rethrows -> Value {
        state.withLock { $0.isBrief = true }
        defer { state.withLock { $0.isBrief = false } }
        return try body()
    }

    /// From 0.2 ms to 3 ms, a little at random, so that those who wait do not come at the same time again and again.
    static func pause(try count: Int) {
        let microseconds = Int.random(in: 100...200) * min(count + 1, 15)
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .microseconds(microseconds))
    }
}
