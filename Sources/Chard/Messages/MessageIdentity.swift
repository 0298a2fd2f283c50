// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What can be said about a message that cannot be read: whose it probably is.
///
/// Works on anything, however broken, cut off, long or deep; takes time for one pass and no memory.
struct MessageIdentity {
    private(set) var id: String?
    private(set) var task: String?

    init(_ payload: [UInt8]) {
        let read = try? JSONScanner.read(payload[...], limits: MessageLimits.none.message) { scanner in
            var identity = MessageIdentity()
            try? identity.read(&scanner)
            return identity
        }
        self = read ?? MessageIdentity()
    }

    private init() {}

    private mutating func read(_ scanner: inout JSONScanner) throws(JSONError) {
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            guard scanner.matches(key, "headers"), scanner.next() == UInt8(ascii: "{") else {
                try scanner.skipLoosely()
                continue
            }
            try scanner.beginObject()
            while let name = try scanner.nextKey() {
                if scanner.matches(name, "id"), scanner.next() == UInt8(ascii: "\"") {
                    id = try scanner.shortString()
                } else if scanner.matches(name, "task"), scanner.next() == UInt8(ascii: "\"") {
                    task = try scanner.shortString()
                } else {
                    try scanner.skipLoosely()
                }
            }
        }
    }
}

extension JSONScanner {
    /// A string, unless it is empty or too long to be a name.
    fileprivate mutating func shortString() throws(JSONError) -> String? {
        let token = try scanString()
        return 1...1024 ~= token.count ? string(token) : nil
    }

    /// Passes one value by counting brackets, without recursion and without checking much.
    fileprivate mutating func skipLoosely() throws(JSONError) {
        var depth = 0
        repeat {
            switch next() {
            case UInt8(ascii: "\""):
                _ = try scanString()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case 0: throw unexpected("a value")
            default:
                // At least one byte, whatever it is, so that there is an end.
                repeat { position += 1 } while position < end && !Self.ends(base[position])
                continue
            }
            position += 1
        } while depth > 0
    }

    private static func ends(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "["),
            UInt8(ascii: "{"), UInt8(ascii: "\""):
            true
        default: byte <= 0x20
        }
    }
}
