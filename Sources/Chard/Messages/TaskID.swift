// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Makes the ids of tasks.
public enum TaskID {
    /// Random bits of the system that no id has used yet, sixteen ids' worth at a time: a call of the system for each id
    /// would cost more than writing the message.
    private static let bits = Mutex<[UInt64]>([])

    /// A random UUID, version 4, in lower case: what Celery uses.
    public static func random() -> String {
        let (high, low) = bits.withLock { bits in
            if bits.isEmpty { bits = systemBits() }
            return (bits.removeLast(), bits.removeLast())
        }
        return version4(high, low)
    }

    private static func systemBits() -> [UInt64] {
        // As much as one call may ask for: getentropy(3).
        var bits = [UInt64](repeating: 0, count: 32)
        if getentropy(&bits, bits.count * MemoryLayout<UInt64>.size) != 0 {
            for index in bits.indices { bits[index] = .random(in: 0...UInt64.max) }
        }
        return bits
    }

    /// A random UUID, version 4, in lower case, from a generator of your own.
    public static func random(using generator: inout some RandomNumberGenerator) -> String {
        version4(generator.next(), generator.next())
    }

    private static func version4(_ high: UInt64, _ low: UInt64) -> String {
        text(high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    static func text(_ high: UInt64, _ low: UInt64) -> String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var index = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    buffer[index] = UInt8(ascii: "-")
                    index += 1
                }
                let nibble = UInt8(truncatingIfNeeded: (digit < 16 ? high : low) >> UInt64(60 - digit % 16 * 4)) & 0xF
                buffer[index] = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
                index += 1
            }
            return index
        }
    }
}

/// Makes delivery tags, which have to be unique but need not be hard to guess: random bits of this process and a count,
/// in the form of a UUID. Asking the system for random bits twice would cost more than writing the message.
enum DeliveryTag {
    private static let process = UInt64.random(in: 0...UInt64.max) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    private static let count = Atomic<UInt64>(UInt64.random(in: 0...UInt64.max))

    static func next() -> String {
        let count = count.wrappingAdd(1, ordering: .relaxed).newValue
        return TaskID.text(process, count & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }
}
