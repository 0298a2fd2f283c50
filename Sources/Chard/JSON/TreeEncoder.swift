// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Builds a JSON tree from `Encodable` types.
final class TreeEncoder: Encoder {
    let place: CodingPlace
    /// Always empty, and not kept: nobody gives any.
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    /// What was encoded so far.
    fileprivate var value: JSON?
    /// Encoders handed out for parts that are filled in later; they belong at these places of `value`.
    fileprivate var pendingMembers: [(name: String, encoder: TreeEncoder)] = []
    fileprivate var pendingElements: [(index: Int, encoder: TreeEncoder)] = []

    fileprivate init(place: CodingPlace) {
        self.place = place
    }

    static func encode<Value: Encodable>(_ value: Value, at place: CodingPlace) throws -> JSON {
        if let json = bridge(value) { return json }
        let encoder = TreeEncoder(place: place)
        try value.encode(to: encoder)
        return encoder.finish()
    }

    var codingPath: [any CodingKey] { place.path }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if value == nil { value = .object([:]) }
        return KeyedEncodingContainer(KeyedBuilder<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if value == nil { value = .array([]) }
        return UnkeyedBuilder(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleBuilder(encoder: self) }

    /// What was encoded; a type that encodes nothing becomes an empty object.
    private func finish() -> JSON {
        switch value {
        case .object(var members):
            for (name, encoder) in pendingMembers { members[name] = encoder.finish() }
            return .object(members)
        case .array(var elements):
            for (index, encoder) in pendingElements { elements[index] = encoder.finish() }
            return .array(elements)
        case let value?: return value
        case nil: return .object([:])
        }
    }

    fileprivate func set(_ name: String, _ member: JSON) {
        guard case .object(var members) = value else { return }
        // Taken out first, so that the dictionary is changed in place and not copied.
        value = .null
        members[name] = member
        value = .object(members)
    }

    fileprivate func append(_ element: JSON) {
        guard case .array(var elements) = value else { return }
        value = .null
        elements.append(element)
        value = .array(elements)
    }

    fileprivate func child(_ key: any CodingKey) -> TreeEncoder {
        let encoder = TreeEncoder(place: place.appending(key))
        set(key.stringValue, .null)
        pendingMembers.append((key.stringValue, encoder))
        return encoder
    }

    fileprivate func child() -> TreeEncoder {
        let index = value?.array?.count ?? 0
        let encoder = TreeEncoder(place: place.appending(index))
        append(.null)
        pendingElements.append((index, encoder))
        return encoder
    }
}

private struct SingleBuilder: SingleValueEncodingContainer {
    let encoder: TreeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    private func integer(_ value: some FixedWidthInteger) {
        encoder.value = Int(exactly: value).map(JSON.integer) ?? .bigInteger(value.description)
    }

    func encodeNil() { encoder.value = .null }
    func encode(_ value: Bool) { encoder.value = .bool(value) }
    func encode(_ value: String) { encoder.value = .string(value) }
    func encode(_ value: Double) { encoder.value = .number(value) }
    /// By way of its text, so that `0.1` stays `0.1`.
    func encode(_ value: Float) { encoder.value = .number(Double(value.description) ?? Double(value)) }
    func encode(_ value: Int) { encoder.value = .integer(value) }
    func encode(_ value: Int8) { integer(value) }
    func encode(_ value: Int16) { integer(value) }
    func encode(_ value: Int32) { integer(value) }
    func encode(_ value: Int64) { integer(value) }
    func encode(_ value: Int128) { integer(value) }
    func encode(_ value: UInt) { integer(value) }
    func encode(_ value: UInt8) { integer(value) }
    func encode(_ value: UInt16) { integer(value) }
    func encode(_ value: UInt32) { integer(value) }
    func encode(_ value: UInt64) { integer(value) }
    func encode(_ value: UInt128) { integer(value) }

    func encode<Value: Encodable>(_ value: Value) throws {
        encoder.value = try TreeEncoder.encode(value, at: encoder.place)
    }
}

private struct UnkeyedBuilder: UnkeyedEncodingContainer {
    let encoder: TreeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int {
        if case .array(let elements) = encoder.value { elements.count } else { 0 }
    }

    func encodeNil() { encoder.append(.null) }
    func encode(_ value: Bool) { encoder.append(.bool(value)) }
    func encode(_ value: String) { encoder.append(.string(value)) }
    func encode(_ value: Double) { encoder.append(.number(value)) }
    func encode(_ value: Int) { encoder.append(.integer(value)) }

    func encode<Value: Encodable>(_ value: Value) throws {
        encoder.append(
            try TreeEncoder.encode(value, at: encoder.place.appending(count)))
    }

    func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        encoder.child().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.child().unkeyedContainer() }

    func superEncoder() -> any Encoder { encoder.child() }
}

private struct KeyedBuilder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: TreeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil(forKey key: Key) { encoder.set(key.stringValue, .null) }
    func encode(_ value: Bool, forKey key: Key) { encoder.set(key.stringValue, .bool(value)) }
    func encode(_ value: String, forKey key: Key) { encoder.set(key.stringValue, .string(value)) }
    func encode(_ value: Double, forKey key: Key) { encoder.set(key.stringValue, .number(value)) }
    func encode(_ value: Int, forKey key: Key) { encoder.set(key.stringValue, .integer(value)) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        encoder.set(
            key.stringValue,
            try TreeEncoder.encode(value, at: encoder.place.appending(key)))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder.child(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.child(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { encoder.child(PlaceKey.super) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder.child(key) }
}
