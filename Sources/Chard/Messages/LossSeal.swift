// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What shows that the losses counted in a message were counted by a broker's own workers: a secret of theirs, by which each count
/// is sealed. Without it anybody who may send could write a count into a message, and so have tasks start one at a time, or not at all.
public struct LossSeal: Sendable, Hashable {
    /// How many bytes a secret has.
    public static let size = 16

    static let header = "chard_seal"
    /// The header of a message that was lost too often, and whose workflow has still to be told; and the one that says by whom.
    static let lostHeader = "chard_lost"
    static let lostByHeader = "chard_lost_by"

    private let first: UInt64
    private let second: UInt64

    /// The seal with a secret that its broker keeps; `nil` if it is no secret of ``size`` bytes.
    public init?(secret: [UInt8]) {
        guard secret.count == Self.size else { return nil }
        first = SipHash.word(secret[0..<8])
        second = SipHash.word(secret[8..<16])
    }

    private init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    /// A new one.
    public static func random() -> LossSeal { LossSeal(.random(in: 0 ... .max), .random(in: 0 ... .max)) }

    /// What the broker is to keep.
    public var secret: [UInt8] {
        [first, second].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }

    /// The message with the losses that it counts sealed.
    public func sealing(_ message: TaskMessage) -> TaskMessage {
        var sealed = message
        sealed.headers[Self.header] = message.losses > 0 ? .string(mark(of: message)) : nil
        return sealed
    }

    /// The message as it may be believed: without losses that nobody here has counted.
    public func trusting(_ message: consuming TaskMessage) -> TaskMessage {
        guard Self.concerns(message) else { return message }
        if message.headers[Self.header]?.string == mark(of: message) { return message }
        message.losses = 0
        message.headers[Self.lostHeader] = nil
        message.headers[Self.lostByHeader] = nil
        message.headers[Self.header] = nil
        return message
    }

    /// Whether a message counts losses at all. Few do, and to hand any other through ``trusting(_:)`` copies it.
    static func concerns(_ message: borrowing TaskMessage) -> Bool {
        message.losses > 0 || message.headers[lostHeader] != nil
    }

    private func mark(of message: borrowing TaskMessage) -> String {
        let isLost = message.headers[Self.lostHeader] != nil
        let hash = SipHash(first, second).hash(Array("\(message.losses) \(isLost) \(message.id)".utf8))
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
