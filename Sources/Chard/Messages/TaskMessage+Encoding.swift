// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension TaskMessage {
    /// The message as it goes onto a queue: protocol 2.
    ///
    /// A message made here is written short, without members that have their default value. A message that was decoded
    /// is its original text with only those members exchanged that differ.
    public func encoded() -> [UInt8] {
        if let source, let patched = try? patch(source) { return patched }
        var writer = JSONWriter(capacity: 1024)
        writer.raw("{")
        writeBody(to: &writer)
        writer.raw(#","content-encoding":"utf-8","content-type":"application/json","headers":"#)
        write(HeaderKey.all, headers, to: &writer)
        writer.raw(#","properties":"#)
        write(PropertyKey.all, properties.extra, to: &writer)
        writer.raw("}")
        return writer.bytes
    }

    private func writeBody(to writer: inout JSONWriter) {
        writer.key(#""body":"#)
        switch body.storage {
        case .token(let token, _):
            writer.raw(token)
        case .text(let text, isBase64: false):
            text.withUnsafeBufferPointer { writer.string(utf8: $0) }
        case .text(let text, isBase64: true):
            writer.raw("\"")
            Base64.append(text, to: &writer.bytes)
            writer.raw("\"")
        }
    }

    private func write<Key: EnvelopeKey>(_ keys: [Key], _ extra: [String: JSON], to writer: inout JSONWriter) {
        writer.raw("{")
        for key in keys { key.write(self, to: &writer) }
        writeExtra(extra, besides: Key.self, to: &writer)
        writer.raw("}")
    }

    private func writeExtra<Key: EnvelopeKey>(
        _ extra: [String: JSON], besides: Key.Type, to writer: inout JSONWriter
    ) {
        guard !extra.isEmpty else { return }
        for (name, value) in extra.sorted(by: { $0.key < $1.key }) where Key(name) == nil {
            writer.name(name)
            writer.value(value)
        }
    }

    // MARK: Patching

    private func patch(_ source: [UInt8]) throws(JSONError) -> [UInt8] {
        guard let original = try? TaskMessage(decoding: source, limits: .none) else {
            throw JSONError(code: .malformed, offset: 0, expected: "a message")
        }
        var writer = JSONWriter(capacity: source.count + 128)
        try JSONScanner.read(source[...], limits: MessageLimits.none.message) { (scanner) throws(JSONError) in
            writer.raw("{")
            var hasProperties = false
            try scanner.beginObject()
            while let key = try scanner.nextKey() {
                let range = try scanner.valueRange()
                let isObject = source[range.lowerBound] == UInt8(ascii: "{")
                if scanner.matches(key, "headers"), isObject {
                    writer.key(#""headers":"#)
                    try patch(source[range], HeaderKey.all, original, { $0.headers }, to: &writer)
                } else if scanner.matches(key, "properties"), isObject {
                    hasProperties = true
                    writer.key(#""properties":"#)
                    try patch(source[range], PropertyKey.all, original, { $0.properties.extra }, to: &writer)
                } else if scanner.matches(key, "properties") {
                    continue
                } else if scanner.matches(key, "body"), body != original.body {
                    writeBody(to: &writer)
                } else {
                    writer.separate()
                    writer.raw(source[key.start - 1...key.end])
                    writer.raw(":")
                    writer.raw(source[range])
                }
            }
            if !hasProperties {
                writer.key(#""properties":"#)
                try patch(Array("{}".utf8)[...], PropertyKey.all, original, { $0.properties.extra }, to: &writer)
            }
            writer.raw("}")
        }
        return writer.bytes
    }

    /// Copies the members of the object `source`, exchanging those that differ from `original`.
    private func patch<Key: EnvelopeKey>(
        _ source: ArraySlice<UInt8>, _ keys: [Key], _ original: TaskMessage,
        _ extra: (TaskMessage) -> [String: JSON], to writer: inout JSONWriter
    ) throws(JSONError) {
        let changed = keys.filter { $0.text(self) != $0.text(original) }
        var added = extra(self)
        let (extra, originalExtra) = (added, extra(original))
        writer.raw("{")
        try JSONScanner.read(source, limits: MessageLimits.none.message) { (scanner) throws(JSONError) in
            try scanner.beginObject()
            while let token = try scanner.nextKey() {
                let range = try scanner.valueRange()
                let name = scanner.string(token)
                if let key = Key(name) {
                    // Written below.
                    if changed.contains(key) { continue }
                } else {
                    added[name] = nil
                    guard let value = extra[name] else { continue }
                    if value != originalExtra[name] {
                        writer.name(name)
                        writer.value(value)
                        continue
                    }
                }
                writer.separate()
                writer.raw(source[source.startIndex + token.start - 1...source.startIndex + token.end])
                writer.raw(":")
                writer.raw(source[source.startIndex + range.lowerBound..<source.startIndex + range.upperBound])
            }
        }
        for key in changed { key.write(self, to: &writer) }
        writeExtra(added, besides: Key.self, to: &writer)
        writer.raw("}")
    }
}

extension MessageLimits {
    /// For what has been read before.
    static let none = MessageLimits(messageBytes: .max, bodyBytes: .max, depth: .max)
}

extension JSONWriter {
    mutating func member(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        self.key(key)
        string(value)
    }

    mutating func member(_ key: StaticString, _ value: Int?) {
        guard let value else { return }
        self.key(key)
        integer(value)
    }

    mutating func member(_ key: StaticString, _ value: Int, unless absent: Int) {
        guard value != absent else { return }
        self.key(key)
        integer(value)
    }

    mutating func member(_ key: StaticString, _ value: Bool?) {
        guard let value else { return }
        self.key(key)
        bool(value)
    }

    mutating func member(_ key: StaticString, _ value: Date?) {
        guard let value else { return }
        self.key(key)
        time(value)
    }

    /// Appends a number of seconds, or null; whole numbers without a fraction.
    mutating func seconds(_ value: Double?) {
        guard let value else { return raw("null") }
        if let whole = Int(exactly: value) { integer(whole) } else { number(value) }
    }
}
