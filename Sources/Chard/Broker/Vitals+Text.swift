// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Vitals {
    /// These figures as JSON text, as `Codable` reads it. It is written with each heartbeat of each worker, and without an encoder,
    /// whose first use of each type's keys is a search through the whole program.
    package var text: [UInt8] {
        var writer = JSONWriter(capacity: 64 + running.count * 112)
        writer.raw(#"{"running":["#)
        for entry in running {
            writer.key(#"{"id":"#)
            writer.string(entry.id)
            writer.key(#""task":"#)
            writer.string(entry.task)
            writer.key(#""since":"#)
            writer.number(entry.since)
            writer.raw("}")
        }
        writer.raw("]")
        writer.add(#""done":"#, done)
        writer.add(#""failed":"#, failed)
        writer.add(#""concurrency":"#, concurrency)
        if let version {
            writer.key(#""version":"#)
            writer.string(version)
        }
        writer.add(#""clockOffset":"#, clockOffset)
        writer.add(#""stalled":"#, stalled)
        writer.raw("}")
        return writer.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func add(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        key(name)
        integer(value)
    }
}
