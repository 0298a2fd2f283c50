// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The text of an attempt, as it is written.
struct AttemptText {
    private var writer = JSONWriter(capacity: 256)

    init(_ end: Attempt.End, at date: Date) {
        writer.raw(#"{"e":"#)
        writer.string(end.rawValue)
        writer.raw(#","z":"#)
        writer.integer(date.milliseconds)
    }

    mutating func add(_ key: StaticString, _ value: String?, upTo limit: Int = Attempt.mostName) {
        guard let value, !value.isEmpty else { return }
        writer.raw(key)
        writer.string(value.utf8.count <= limit ? value : String(value.prefix(limit)))
    }

    mutating func add(_ key: StaticString, _ value: Int?) {
        guard let value else { return }
        writer.raw(key)
        writer.integer(value)
    }

    consuming func end() -> [UInt8] {
        writer.raw("}")
        return writer.bytes
    }
}
