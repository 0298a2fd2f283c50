// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GRDBSQLite

/// What is given to a statement, or comes of one.
protocol Parameter {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32
}

/// What can be read from a column that is not NULL.
protocol Column {
    init(of statement: OpaquePointer, at index: Int32)
}

/// Has SQLite copy what it is given.
private var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

extension Int64: Parameter, Column {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_int64(statement, index, self) }

    init(of statement: OpaquePointer, at index: Int32) {
        self = sqlite3_column_int64(statement, index)
    }
}

extension Int: Parameter, Column {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, Int64(self))
    }

    init(of statement: OpaquePointer, at index: Int32) {
        self = Int(sqlite3_column_int64(statement, index))
    }
}

extension Bool: Parameter, Column {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        sqlite3_bind_int64(statement, index, self ? 1 : 0)
    }

    init(of statement: OpaquePointer, at index: Int32) {
        self = sqlite3_column_int64(statement, index) != 0
    }
}

extension Double: Parameter, Column {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_double(statement, index, self) }

    init(of statement: OpaquePointer, at index: Int32) {
        self = sqlite3_column_double(statement, index)
    }
}

extension String: Parameter, Column {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        var text = self
        return text.withUTF8 { bytes in
            // Without an address it would be NULL.
            guard let base = bytes.baseAddress else { return sqlite3_bind_text(statement, index, "", 0, nil) }
            return base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                sqlite3_bind_text64(statement, index, $0, UInt64(bytes.count), copied, UInt8(SQLITE_UTF8))
            }
        }
    }

    init(of statement: OpaquePointer, at index: Int32) {
        let text = sqlite3_column_text(statement, index)
        self = String(
            decoding: UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, index))),
            as: UTF8.self)
    }
}

extension [UInt8]: Parameter, Column {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, !bytes.isEmpty else {
                return sqlite3_bind_zeroblob(statement, index, 0)
            }
            return sqlite3_bind_blob64(statement, index, base, UInt64(bytes.count), copied)
        }
    }

    init(of statement: OpaquePointer, at index: Int32) {
        let bytes = sqlite3_column_blob(statement, index)
        self = Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, index))))
    }
}

extension Optional: Parameter where Wrapped: Parameter {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        self?.bind(to: statement, at: index) ?? sqlite3_bind_null(statement, index)
    }
}
