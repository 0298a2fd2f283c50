// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

extension DatabaseFile {
    /// Reads a file that cannot be opened for want of room: opening it writes, as the log and what its readers share must be there.
    ///
    /// While others have it open both are. Where nobody has, nobody changes the file either, and it is read as one that never
    /// changes. Whoever opens it in just that moment has found room: then the next look is a usual one.
    static func readWithoutRoom<Value>(_ location: SQLiteLocation, _ body: (Database) throws -> Value) throws -> Value {
        var configuration = Configuration()
        configuration.label = "chard.sqlite"
        configuration.readonly = true
        let isOpen = SystemFile(location.log).size > 0
        let path = isOpen ? location.path : "file:\(escaped(location.path))?immutable=1"
        return try DatabaseQueue(path: path, configuration: configuration).read { db in
            try check(db, at: location.path)
            return try body(db)
        }
    }

    private static func escaped(_ path: String) -> String {
        path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
    }

    /// Refuses what is not ours, or written by a later version.
    static func check(_ db: Database, at path: String) throws {
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        guard application == Schema.application || tables == 0 else {
            throw BrokerError(.incompatible, "\(path) is the database of another program; name a file of Chard's own")
        }
        try Schema.check(Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0, at: path)
    }
}

extension BrokerError {
    /// Whether there may be no room for what is written: a full disk makes itself known in several ways.
    var mayWantRoom: Bool {
        if code == .refused { return true }
        return (underlying as? DatabaseError)?.resultCode == .SQLITE_IOERR
    }
}
