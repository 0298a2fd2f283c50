// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// The JSON text of any value.
    ///
    /// `Date`, `UUID`, `Decimal`, `Data`, ``CalendarDate`` and ``ClockTime`` are written the way kombu does,
    /// `{"__type__": "datetime", "__value__": "..."}`, so that Python gets a `datetime`; a `URL` becomes its text.
    public static func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
        var writer = JSONWriter()
        // What most tasks take and return, without a detour through Codable.
        switch value {
        case let value as Int: writer.integer(value)
        case let value as String: writer.string(value)
        case let value as Double: writer.number(value)
        case let value as Bool: writer.bool(value)
        case let value as [Int] where Value.self == [Int].self: writer.array(value) { $0.integer($1) }
        case let value as [String] where Value.self == [String].self: writer.array(value) { $0.string($1) }
        case let value as [Double] where Value.self == [Double].self: writer.array(value) { $0.number($1) }
        default: writer.value(try JSON(encoding: value))
        }
        return writer.bytes
    }

    /// Reads a value of type `Value` from its JSON text.
    ///
    /// Kinds are kept apart: an integer is never read from a number with a fraction, not even from `1.0`; a `Double` is
    /// read from either. Throws `DecodingError`, also for text that is not JSON.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: ArraySlice<UInt8>, limits: JSONLimits = .default
    ) throws -> Value {
        if let value: Value = plain(bytes, limits) { return value }
        let json: JSON
        do {
            json = try JSON(parsing: bytes, limits: limits)
        } catch {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: [], debugDescription: "not JSON: \(error)", underlyingError: error))
        }
        return try json.decode(type)
    }

    /// Reads a value of type `Value` from its JSON text.
    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], limits: JSONLimits = .default)
        throws -> Value
    {
        try decode(type, from: bytes[...], limits: limits)
    }

    /// The tree of any value; see ``encode(_:)``.
    public init(encoding value: some Encodable) throws {
        self = try TreeEncoder.encode(value, at: .root)
    }

    /// Reads a value of type `Value` from this tree; see ``decode(_:from:limits:)-(_,[UInt8],_)``.
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try TreeDecoder(value: self, path: .root).decode(type)
    }

    /// Values of the commonest types, read without a tree; nil if it is another type or anything is not as it should
    /// be, so that the general way finds the right words for the error.
    @inline(__always)
    private static func plain<Value>(_ bytes: ArraySlice<UInt8>, _ limits: JSONLimits) -> Value? {
        if Value.self == Int.self { return whole(bytes, limits) { try? $0.plainInt() } as? Value }
        if Value.self == String.self { return whole(bytes, limits) { try? $0.plainString() } as? Value }
        if Value.self == Double.self { return whole(bytes, limits) { try? $0.plainDouble() } as? Value }
        if Value.self == Bool.self { return whole(bytes, limits) { try? $0.plainBool() } as? Value }
        if Value.self == [Int].self { return whole(bytes, limits) { $0.plainArray { try? $0.plainInt() } } as? Value }
        if Value.self == [String].self {
            return whole(bytes, limits) { $0.plainArray { try? $0.plainString() } } as? Value
        }
        if Value.self == [Double].self {
            return whole(bytes, limits) { $0.plainArray { try? $0.plainDouble() } } as? Value
        }
        return nil
    }

    @inline(__always)
    private static func whole<Value>(
        _ bytes: ArraySlice<UInt8>, _ limits: JSONLimits, _ read: (inout JSONScanner) -> Value?
    ) -> Value? {
        let value = try? JSONScanner.read(bytes, limits: limits) { (scanner) throws(JSONError) -> Value? in
            let value = read(&scanner)
            try scanner.finish()
            return value
        }
        return value ?? nil
    }
}

extension JSONWriter {
    @inline(__always)
    fileprivate mutating func array<Element>(
        _ elements: [Element], _ write: (inout JSONWriter, Element) -> Void
    ) {
        raw("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { raw(",") }
            write(&self, element)
        }
        raw("]")
    }
}

extension JSONScanner {
    fileprivate mutating func plainInt() throws(JSONError) -> Int? {
        guard case let byte = next(), byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10,
            case .integer(let value) = try scanNumber()
        else { return nil }
        return value
    }

    fileprivate mutating func plainString() throws(JSONError) -> String? {
        guard next() == UInt8(ascii: "\"") else { return nil }
        return string(try scanString())
    }

    fileprivate mutating func plainDouble() throws(JSONError) -> Double? {
        guard case let byte = next(), byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 else { return nil }
        switch try scanNumber() {
        case .integer(let value): return Double(value)
        case .number(let value): return value
        case .bigInteger(let range), .longNumber(let range): return longNumber(range)
        }
    }

    fileprivate mutating func plainBool() throws(JSONError) -> Bool? {
        switch next() {
        case UInt8(ascii: "t"):
            try word("true")
            return true
        case UInt8(ascii: "f"):
            try word("false")
            return false
        default: return nil
        }
    }

    @inline(__always)
    fileprivate mutating func plainArray<Element>(_ element: (inout JSONScanner) -> Element??) -> [Element]? {
        guard (try? beginArray()) != nil else { return nil }
        var elements: [Element] = []
        while true {
            guard let goesOn = try? nextElement() else { return nil }
            guard goesOn else { return elements }
            guard case .some(.some(let value)) = element(&self) else { return nil }
            elements.append(value)
        }
    }
}
