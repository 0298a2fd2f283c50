// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a file store could not do, and why.
public struct FileError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it was: an open set.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String
        /// Makes a code of one's own, for stores outside this package.
        public init(_ name: String) { description = name }

        /// There is no such file, or none any more.
        public static let missing = Code("missing")
        /// The file is larger than what is allowed.
        public static let tooLarge = Code("tooLarge")
        /// The key, or where the store is said to be, makes no sense.
        public static let misnamed = Code("misnamed")
        /// The store cannot do it now: it is away, full or not writable. Trying again may help.
        public static let unavailable = Code("unavailable")
    }

    /// What kind of trouble it was.
    public let code: Code
    /// What happened. Never holds a secret.
    public let description: String

    /// Makes an error.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

extension FileError {
    /// Makes sure that a key can be part of a path or a URL, and leads nowhere else. Stores call it before they use one.
    public static func check(_ key: String) throws(FileError) {
        guard isKey(key) else {
            throw FileError(
                .misnamed,
                "\"\(key.shortened(to: 100).printable())\" is no key of a file: 1 to 200 letters, digits, '.', '_' and '-', no dot first"
            )
        }
    }

    static func isKey(_ key: String) -> Bool {
        let bytes = key.utf8
        guard (1...200).contains(bytes.count), bytes.first != UInt8(ascii: ".") else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    /// The error for a file that is not there.
    public static func missing(_ key: String, in location: String) -> FileError {
        FileError(
            .missing,
            "there is no file \(key) in \(location): its task has ended, or this program has another store than its sender"
        )
    }

    /// The error for a file that has more bytes than are allowed.
    public static func tooLarge(_ name: String, _ size: Int, _ limit: Int) -> FileError {
        let name = name.isEmpty ? "the file" : "\"\(name.shortened(to: 100).printable())\""
        return FileError(.tooLarge, "\(name) has \(size) bytes; no more than \(limit) are taken")
    }
}
