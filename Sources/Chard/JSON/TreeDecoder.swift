// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Reads `Decodable` types from a JSON tree.
struct TreeDecoder: Decoder {
    let value: JSON
    let place: CodingPlace
    /// Always empty, and not kept: nobody gives any.
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(value: JSON, path: CodingPlace) {
        self.value = value
        place = path
    }

    var codingPath: [any CodingKey] { place.path }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value, TypedValue(value) == nil else { throw mismatch([String: JSON].self) }
        return KeyedDecodingContainer(KeyedTree<Key>(members: members, decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw mismatch([JSON].self) }
        return UnkeyedTree(elements: elements, decoder: self)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { SingleTree(decoder: self) }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let value = try bridged(type) { return value }
        return try Value(from: self)
    }

    // MARK: Plain values

    func bool() throws -> Bool {
        guard case .bool(let value) = value else { throw mismatch(Bool.self) }
        return value
    }

    func string() throws -> String {
        guard let text = value.string else { throw mismatch(String.self) }
        return text
    }

    func floatingPoint<Number: BinaryFloatingPoint>(_ type: Number.Type) throws -> Number {
        guard let number = value.number else { throw mismatch(type) }
        return Number(number)
    }

    func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        let number: Number?
        switch value {
        case .integer(let value): number = Number(exactly: value)
        case .bigInteger(let digits): number = Number(digits)
        default: throw mismatch(type)
        }
        guard let number else { throw corrupted("the integer \(value) does not fit into \(type)") }
        return number
    }

    // MARK: Errors

    func mismatch(_ type: Any.Type) -> DecodingError {
        let name = expectedName(type)
        let context = DecodingError.Context(
            codingPath: codingPath, debugDescription: "expected \(name), found \(foundName)")
        return value.isNull ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    func corrupted(_ message: String) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: codingPath, debugDescription: message))
    }

    private func expectedName(_ type: Any.Type) -> String {
        if type == [String: JSON].self { return "an object" }
        if type == [JSON].self { return "an array" }
        return "\(type)"
    }

    private var foundName: String {
        switch value {
        case .null: return "null"
        case .bool: return "a boolean"
        case .integer, .bigInteger: return "an integer"
        case .number: return "a number with a fraction or exponent"
        case .string, .unpaired: return "a string"
        case .array: return "an array"
        case .object:
            guard let typed = TypedValue(value) else { return "an object" }
            return typed.isKnown
                ? "a typed value (\(typed.type))" : "a typed value of the unknown type \"\(typed.type)\""
        }
    }
}

private struct SingleTree: SingleValueDecodingContainer {
    let decoder: TreeDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.value.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try decoder.bool() }
    func decode(_ type: String.Type) throws -> String { try decoder.string() }
    func decode(_ type: Double.Type) throws -> Double { try decoder.floatingPoint(type) }
    func decode(_ type: Float.Type) throws -> Float { try decoder.floatingPoint(type) }
    func decode(_ type: Int.Type) throws -> Int { try decoder.integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try decoder.integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try decoder.integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try decoder.integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try decoder.integer(type) }
    func decode(_ type: Int128.Type) throws -> Int128 { try decoder.integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try decoder.integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.integer(type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try decoder.integer(type) }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.decode(type) }
}

private struct UnkeyedTree: UnkeyedDecodingContainer {
    let elements: [JSON]
    let decoder: TreeDecoder
    var currentIndex = 0

    init(elements: [JSON], decoder: TreeDecoder) {
        self.elements = elements
        self.decoder = decoder
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    private mutating func next<Value>(_ read: (TreeDecoder) throws -> Value) throws -> Value {
        guard currentIndex < elements.count else {
            throw DecodingError.valueNotFound(
                Value.self,
                DecodingError.Context(
                    codingPath: codingPath,
                    debugDescription: "expected another element, found the end of an array of \(elements.count)"))
        }
        let value = try read(
            TreeDecoder(
                value: elements[currentIndex], path: decoder.place.appending(currentIndex)))
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        guard currentIndex < elements.count, elements[currentIndex].isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try next { try $0.bool() } }
    mutating func decode(_ type: String.Type) throws -> String { try next { try $0.string() } }
    mutating func decode(_ type: Double.Type) throws -> Double { try next { try $0.floatingPoint(type) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try next { try $0.integer(type) } }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next { try $0.decode(type) } }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try next { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try next { $0 } }
}

private struct KeyedTree<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let members: [String: JSON]
    let decoder: TreeDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { members.keys.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }

    private func member(_ key: any CodingKey) throws -> TreeDecoder {
        guard let value = members[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key,
                DecodingError.Context(
                    codingPath: codingPath, debugDescription: "the object has no key \"\(key.stringValue)\""))
        }
        return TreeDecoder(value: value, path: decoder.place.appending(key))
    }

    func decodeNil(forKey key: Key) throws -> Bool { try member(key).value.isNull }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try member(key).bool() }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try member(key).string() }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try member(key).floatingPoint(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try member(key).integer(type) }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try member(key).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try member(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try member(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try member(PlaceKey.super) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }
}
