// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import CHiredis
import NIOCore

/// Writes commands the way hiredis formats them.
///
/// The formatter's memory is allocated, copied and freed within one call; no pointer leaves this file.
enum CommandFormatter {
    /// The bytes of these commands, one after the other, ready to be written in one piece.
    static func format(_ commands: [RedisCommand]) throws(RedisError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: commands.reduce(0) { $0 + $1.formattedSize })
        for command in commands where !append(command, to: &buffer) {
            throw RedisError(code: .outOfMemory, message: "no memory to format a command", command: command.name)
        }
        return buffer
    }

    private static func append(_ command: RedisCommand, to buffer: inout ByteBuffer) -> Bool {
        let count = command.ends.count
        return command.words.withUnsafeBytes { words in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { pointers in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { lengths in
                    let first = words.baseAddress?.assumingMemoryBound(to: CChar.self)
                    var start = 0
                    for (index, end) in command.ends.enumerated() {
                        pointers.initializeElement(at: index, to: first.map { $0 + start })
                        lengths.initializeElement(at: index, to: end - start)
                        start = end
                    }
                    var formatted: UnsafeMutablePointer<CChar>?
                    let length = redisFormatCommandArgv(
                        &formatted, Int32(count), pointers.baseAddress, lengths.baseAddress)
                    guard length >= 0, let formatted else { return false }
                    defer { redisFreeCommand(formatted) }
                    buffer.writeBytes(UnsafeRawBufferPointer(start: formatted, count: Int(length)))
                    return true
                }
            }
        }
    }
}

extension RedisCommand {
    /// A little more than this command takes on the wire: each word has a `$`, its length and two line ends.
    fileprivate var formattedSize: Int { words.count + 16 * (ends.count + 1) }
}
