// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite

/// Statements, which GRDB keeps prepared. Those that give at most one row are run without it: what it does for each would
/// take as long as SQLite does.
extension Database {
    /// Runs a statement. Returns how many rows it changed.
    @discardableResult
    func run<each P: Parameter>(_ sql: String, _ parameters: repeat each P) throws -> Int {
        try step(sql, repeat each parameters) { _ in }
        return changesCount
    }

    /// The first value, if there is one that is not NULL.
    func value<Value: Column, each P: Parameter>(
        _ type: Value.Type, _ sql: String, _ parameters: repeat each P
    ) throws -> Value? {
        try step(sql, repeat each parameters) { row in
            guard let row, sqlite3_column_type(row, 0) != SQLITE_NULL else { return nil }
            return Value(of: row, at: 0)
        }
    }

    /// Whether there is a row.
    func exists<each P: Parameter>(_ sql: String, _ parameters: repeat each P) throws -> Bool {
        try step(sql, repeat each parameters) { $0 != nil }
    }

    /// The first column of all rows.
    func values<Value: DatabaseValueConvertible>(
        _ type: Value.Type, _ sql: String, _ arguments: (any DatabaseValueConvertible)?...
    ) throws -> [Value] {
        try Value.fetchAll(cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    }

    /// The rows; each is good only until the next is asked for.
    func rows(_ sql: String, _ arguments: (any DatabaseValueConvertible)?...) throws -> RowCursor {
        try Row.fetchCursor(cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    }

    /// Runs a statement as far as its first row, if it has one, which is read by `body`.
    private func step<Value, each P: Parameter>(
        _ sql: String, _ parameters: repeat each P, body: (OpaquePointer?) throws -> Value
    ) throws -> Value {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        var index: Int32 = 0
        for parameter in repeat each parameters {
            index += 1
            guard parameter.bind(to: statement, at: index) == SQLITE_OK else { throw failure(of: sql) }
        }
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return try body(statement)
        case SQLITE_DONE: return try body(nil)
        default: throw failure(of: sql)
        }
    }

    private func failure(of sql: String) -> DatabaseError {
        let code = ResultCode(rawValue: sqlite3_extended_errcode(sqliteConnection))
        return DatabaseError(resultCode: code, message: String(cString: sqlite3_errmsg(sqliteConnection)), sql: sql)
    }
}

extension Row {
    /// The bytes of a column that is not NULL.
    func bytes(_ index: Int) throws -> [UInt8] {
        try withUnsafeData(atIndex: index) { data in data.map { [UInt8]($0) } ?? [] }
    }
}
