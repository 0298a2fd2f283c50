// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A cursor over the bytes of one JSON text: the one place that knows JSON's grammar.
///
/// It never looks beyond `end`, allocates nothing by itself, and checks what it passes over, so that a value that was
/// skipped can be sliced out of the text and read later. It lives only inside ``read(_:limits:_:)``, which owns the
/// pointer.
struct JSONScanner {
    let base: UnsafePointer<UInt8>
    let end: Int
    var position = 0
    private var depth = 0
    private let depthLimit: Int
    /// True between the opening of an array or object and its first element: no comma is due.
    private var isFresh = false

    private init(_ bytes: UnsafePointer<UInt8>, count: Int, depthLimit: Int) {
        base = bytes
        end = count
        self.depthLimit = depthLimit
    }

    /// Runs `body` over `bytes`; offsets count from the start of `bytes`.
    static func read<Result>(
        _ bytes: ArraySlice<UInt8>, limits: JSONLimits = .default,
        _ body: (inout JSONScanner) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        guard bytes.count <= limits.bytes else {
            throw JSONError(code: .tooLarge, offset: limits.bytes, expected: "no more than \(limits.bytes) bytes")
        }
        return try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> Result in
            guard let base = buffer.baseAddress, !buffer.isEmpty else {
                throw JSONError(code: .malformed, offset: 0, expected: "a value")
            }
            var scanner = JSONScanner(base, count: buffer.count, depthLimit: limits.depth)
            return try body(&scanner)
        }
    }

    func unexpected(_ expected: String, at offset: Int? = nil) -> JSONError {
        JSONError(code: .malformed, offset: offset ?? position, expected: expected)
    }

    /// Passes white space; returns the byte that follows, which is not consumed, or 0 at the end.
    @inline(__always)
    mutating func next() -> UInt8 {
        while position < end {
            let byte = base[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return 0
    }

    /// Refuses anything but white space up to the end.
    mutating func finish() throws(JSONError) {
        _ = next()
        guard position == end else { throw unexpected("the end") }
    }

    // MARK: Arrays and objects

    mutating func beginObject() throws(JSONError) {
        guard next() == UInt8(ascii: "{") else { throw unexpected("an object") }
        try enter()
    }

    mutating func beginArray() throws(JSONError) {
        guard next() == UInt8(ascii: "[") else { throw unexpected("an array") }
        try enter()
    }

    private mutating func enter() throws(JSONError) {
        guard depth < depthLimit else {
            throw JSONError(code: .tooDeep, offset: position, expected: "no more than \(depthLimit) levels")
        }
        position += 1
        depth += 1
        isFresh = true
    }

    private mutating func leave() {
        position += 1
        depth -= 1
        isFresh = false
    }

    /// The next key of the object begun last, with the cursor before its value; nil, and the object is behind us, if
    /// there is no other.
    @inline(__always)
    mutating func nextKey() throws(JSONError) -> StringToken? {
        var byte = next()
        if byte == UInt8(ascii: "}") {
            leave()
            return nil
        }
        if isFresh {
            isFresh = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw unexpected("a comma or the end of the object") }
            position += 1
            byte = next()
        }
        guard byte == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
        let key = try scanString()
        guard next() == UInt8(ascii: ":") else { throw unexpected("a colon") }
        position += 1
        return key
    }

    /// Whether the array begun last goes on, with the cursor before the element; if not, the array is behind us.
    @inline(__always)
    mutating func nextElement() throws(JSONError) -> Bool {
        let byte = next()
        if byte == UInt8(ascii: "]") {
            leave()
            return false
        }
        if isFresh {
            isFresh = false
        } else {
            guard byte == UInt8(ascii: ",") else { throw unexpected("a comma or the end of the array") }
            position += 1
        }
        return true
    }

    // MARK: Whole values

    /// Passes one value of any kind, checking it fully.
    mutating func skipValue() throws(JSONError) {
        switch next() {
        case UInt8(ascii: "\""):
            _ = try scanString()
        case UInt8(ascii: "{"):
            try enter()
            while try nextKey() != nil { try skipValue() }
        case UInt8(ascii: "["):
            try enter()
            while try nextElement() { try skipValue() }
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: _ = try scanNumber()
        }
    }

    /// Passes one value and says where it stands, white space around it left out.
    mutating func valueRange() throws(JSONError) -> Range<Int> {
        _ = next()
        let start = position
        try skipValue()
        return start..<position
    }

    /// Passes `null` if it stands here.
    mutating func takeNull() throws(JSONError) -> Bool {
        guard next() == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    /// Reads one value of any kind into a tree.
    mutating func value() throws(JSONError) -> JSON {
        switch next() {
        case UInt8(ascii: "\""):
            return json(try scanString())
        case UInt8(ascii: "{"):
            try enter()
            var members: [String: JSON] = [:]
            while let key = try nextKey() {
                let name = string(key)
                if members.updateValue(try value(), forKey: name) != nil { try refuseLookalike(of: name, in: members) }
            }
            return .object(members)
        case UInt8(ascii: "["):
            try enter()
            var elements: [JSON] = []
            while try nextElement() { elements.append(try value()) }
            return .array(elements)
        case UInt8(ascii: "t"):
            try word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        default:
            return json(try scanNumber())
        }
    }

    /// Of two members with one name the last counts, as in Python. But Swift takes names for equal that are not to others: an
    /// é in one character, and one in two. One of them would be lost.
    private func refuseLookalike(of name: String, in members: [String: JSON]) throws(JSONError) {
        guard let place = members.index(forKey: name), !members.keys[place].utf8.elementsEqual(name.utf8) else {
            return
        }
        throw lookalike
    }

    /// Two names differ only in how Unicode writes them.
    var lookalike: JSONError { unexpected("names that differ in more than the form of their characters") }

    mutating func word(_ word: StaticString) throws(JSONError) {
        let count = word.utf8CodeUnitCount
        guard end - position >= count else { throw unexpected("a value") }
        for index in 0..<count where base[position + index] != word.utf8Start[index] {
            throw unexpected("a value")
        }
        position += count
    }
}

extension JSON {
    /// Reads one JSON text, which must be the whole of `bytes`.
    ///
    /// Taken besides standard JSON: the bare words `NaN`, `Infinity` and `-Infinity`, which Python writes. Of members
    /// with the same name the last one counts. Bytes that are not UTF-8 are refused.
    public init(parsing bytes: ArraySlice<UInt8>, limits: JSONLimits = .default) throws(JSONError) {
        self = try JSONScanner.read(bytes, limits: limits) { (scanner) throws(JSONError) -> JSON in
            let value = try scanner.value()
            try scanner.finish()
            return value
        }
    }

    /// Reads one JSON text, which must be the whole of `bytes`.
    public init(parsing bytes: [UInt8], limits: JSONLimits = .default) throws(JSONError) {
        try self.init(parsing: bytes[...], limits: limits)
    }

    /// Reads one JSON text, which must be the whole of `text`.
    public init(parsing text: String, limits: JSONLimits = .default) throws(JSONError) {
        try self.init(parsing: Array(text.utf8)[...], limits: limits)
    }
}
