// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Finds where the values of a RESP stream end: all that the proxy has to know of them, and none of the product's code.
struct RESPScanner {
    private var bytes: [UInt8] = []

    mutating func append(_ buffer: ByteBuffer) {
        bytes.append(contentsOf: buffer.readableBytesView)
    }

    /// Takes the first value out, once it is complete.
    mutating func next() -> [UInt8]? {
        guard let end = end(of: 0) else { return nil }
        defer { bytes.removeFirst(end) }
        return Array(bytes[..<end])
    }

    private func end(of start: Int) -> Int? {
        guard let line = bytes[start...].firstIndex(of: 10) else { return nil }
        let next = line + 1
        switch bytes[start] {
        case UInt8(ascii: "$"):
            let count = number(start + 1, line)
            guard count >= 0 else { return next }
            return next + count + 2 <= bytes.count ? next + count + 2 : nil
        case UInt8(ascii: "*"):
            var position = next
            for _ in 0..<max(0, number(start + 1, line)) {
                guard position < bytes.count, let end = end(of: position) else { return nil }
                position = end
            }
            return position
        default:
            return next
        }
    }

    private func number(_ start: Int, _ line: Int) -> Int {
        Int(String(decoding: bytes[start..<(line - 1)], as: UTF8.self)) ?? 0
    }

    /// The first words of a command, as text.
    static func words(of command: [UInt8], _ count: Int) -> [String] {
        var words: [String] = []
        var position = (command.firstIndex(of: 10) ?? command.count) + 1
        while words.count < count, position < command.count, let line = command[position...].firstIndex(of: 10) {
            let length = Int(String(decoding: command[(position + 1)..<(line - 1)], as: UTF8.self)) ?? 0
            words.append(String(decoding: command[(line + 1)...].prefix(length), as: UTF8.self))
            position = line + 1 + length + 2
        }
        return words
    }
}
