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
            let text = UnsafeMutableRawBufferPointer(buffer)
            func write(_ digits: UInt64, at offset: Int) {
                text.storeBytes(of: digits.bigEndian, toByteOffset: offset, as: UInt64.self)
            }
            func writeHalf(_ digits: UInt64, at offset: Int) {
                text.storeBytes(
                    of: UInt32(truncatingIfNeeded: digits).bigEndian, toByteOffset: offset, as: UInt32.self)
            }
            let (second, third) = (digits(of: high), digits(of: low >> 32))
            write(digits(of: high >> 32), at: 0)
            writeHalf(second >> 32, at: 9)
            writeHalf(second, at: 14)
            writeHalf(third >> 32, at: 19)
            writeHalf(third, at: 24)
            write(digits(of: low), at: 28)
            for dash in 0..<4 { text[8 + 5 * dash] = UInt8(ascii: "-") }
            return 36
        }
    }

    /// The lower half of `bits` in hexadecimal, one character to a byte, the first in the highest: all eight at once.
    private static func digits(of bits: UInt64) -> UInt64 {
        var digits = bits & 0xFFFF_FFFF
        digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF
        digits = (digits | digits << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // 1 in each byte that is more than 9, which is to be a letter.
        let isLetter = (digits + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return digits + 0x3030_3030_3030_3030 + isLetter * 39
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
