// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

extension BrokerError.Code {
    /// The file was written by a newer version of Chard, or belongs to another program.
    public static let incompatible = BrokerError.Code("incompatible")
}

extension BrokerError {
    /// The broker's view of what SQLite says about the file at `path`.
    init(_ error: DatabaseError, at path: String) {
        let code: Code
        let text: String
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
            (code, text) = (.unavailable, "is locked by another program; end what keeps a transaction open in it")
        case .SQLITE_FULL:
            (code, text) = (.refused, "cannot grow: the disk, or the size that is allowed, is full; make room")
        case .SQLITE_TOOBIG:
            (code, text) = (.tooLarge, "takes nothing of this size; send a reference to what is large")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            (code, text) = (.unauthorized, "cannot be written; give this user the right to write it and its folder")
        case .SQLITE_CANTOPEN:
            (code, text) = (.unauthorized, "cannot be opened; give this user the right to write it and its folder")
        case .SQLITE_NOTADB:
            (code, text) = (.damaged, "is no SQLite database; name another file")
        case .SQLITE_CORRUPT:
            (code, text) = (.damaged, "is damaged; stop all programs, save what is left with sqlite3's .recover")
        case .SQLITE_IOERR:
            (code, text) = (.unavailable, "cannot be read or written; look after the disk")
        default:
            (code, text) = (.damaged, "cannot be used")
        }
        self.init(code, "\(path) \(text) (\(error.message ?? error.resultCode.description))", underlying: error)
    }

    /// Any error, as the broker's; those that are neither SQLite's nor ours are damage.
    init(_ error: any Error, at path: String) {
        switch error {
        case let error as BrokerError: self = error
        case let error as DatabaseError: self.init(error, at: path)
        default: self.init(.damaged, "\(path) holds what cannot be read: \(error)", underlying: error)
        }
    }
}
