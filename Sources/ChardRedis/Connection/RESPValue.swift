// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A reply of a Redis server, as RESP2 has them.
package enum RESPValue: Sendable {
    /// A missing value: a nil bulk string or a nil array.
    case null
    case integer(Int)
    /// A bulk string, or a status such as `OK`.
    case string([UInt8])
    case array([RESPValue])
    /// The error of one command; its neighbours in a pipeline have replies of their own.
    case error(RedisError)
}

extension RESPValue {
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The integer, if this is one.
    package var integer: Int? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The bytes, if this is a string.
    package var bytes: [UInt8]? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The text, if this is a string; bytes that are not UTF-8 become replacement characters.
    package var text: String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The elements, if this is an array.
    package var array: [RESPValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The error, if this is one.
    package var error: RedisError? {
        if case .error(let value) = self { value } else { nil }
    }

    /// This reply, or the error that it is, thrown.
    package func get() throws(RedisError) -> RESPValue {
        if case .error(let error) = self { throw error }
        return self
    }
}
