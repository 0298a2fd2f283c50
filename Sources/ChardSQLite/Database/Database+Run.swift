// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GRDB

extension Database {
    /// Runs a statement that is kept prepared. Returns how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ arguments: (any DatabaseValueConvertible)?...) throws -> Int {
        try cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
        return changesCount
    }

    /// The first value of a statement that is kept prepared.
    func value<Value: DatabaseValueConvertible>(
        _ type: Value.Type, _ sql: String, _ arguments: (any DatabaseValueConvertible)?...
    ) throws -> Value? {
        try Value.fetchOne(cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    }

    /// Whether a statement that is kept prepared finds a row.
    func exists(_ sql: String, _ arguments: (any DatabaseValueConvertible)?...) throws -> Bool {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: StatementArguments(arguments)) != nil
    }

    /// The first column of all rows.
    func values<Value: DatabaseValueConvertible>(
        _ type: Value.Type, _ sql: String, _ arguments: (any DatabaseValueConvertible)?...
    ) throws -> [Value] {
        try Value.fetchAll(cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    }

    /// The rows of a statement that is kept prepared; each is good only until the next is asked for.
    func rows(_ sql: String, _ arguments: (any DatabaseValueConvertible)?...) throws -> RowCursor {
        try Row.fetchCursor(cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    }
}

extension Row {
    /// The bytes of a column that is not NULL.
    func bytes(_ index: Int) throws -> [UInt8] {
        try withUnsafeData(atIndex: index) { data in data.map { [UInt8]($0) } ?? [] }
    }
}
