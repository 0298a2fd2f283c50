// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension UnsafePointer<UInt8> {
    /// Whether as many bytes are the same there, eight at a time.
    @inline(__always)
    func hasSameBytes(as other: UnsafePointer<UInt8>, count: Int) -> Bool {
        var offset = 0
        while count - offset >= 8 {
            guard word(at: offset) == other.word(at: offset) else { return false }
            offset += 8
        }
        while offset < count {
            guard self[offset] == other[offset] else { return false }
            offset += 1
        }
        return true
    }

    @inline(__always)
    private func word(at offset: Int) -> UInt64 {
        UnsafeRawPointer(self + offset).loadUnaligned(as: UInt64.self)
    }
}
