// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A value that only whoever has a key can read: an argument of a task, a part of one, or its result. See ``SealingKeys``.
///
/// ```swift
/// let charge = app.task("shop.charge") { (context: TaskContext, order: Int, card: Sealed<Card>) in
///     let keys = try context.dependencies.get(SealingKeys.self)
///     return try await pay(order, keys.open(card, for: "card"))
/// }
/// try await charge.enqueue(7, keys.seal(card, for: "card"))
/// ```
/// It travels as a text, through chains and chords, schedules, retries, dead letters, results and history, and is opened nowhere on
/// the way: what shows arguments shows that text, and to a Python worker it is a `str`.
public struct Sealed<Value: Codable & Sendable>: Sendable, Hashable {
    /// The key that it is sealed with.
    public let keyID: String
    /// Nonce, ciphertext and tag.
    let bytes: [UInt8]

    init(keyID: String, bytes: [UInt8]) {
        self.keyID = keyID
        self.bytes = bytes
    }

    /// Reads ``text``; `nil` if it is none.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "sealed", parts[1] == "1", KeyText.isName(parts[2]),
            let bytes = Base64.decode(parts[3])
        else { return nil }
        self.init(keyID: parts[2], bytes: bytes)
    }

    /// As it travels: `sealed:1:KEY:BASE64`.
    public var text: String { "sealed:1:\(keyID):\(Base64.encode(bytes))" }
}

extension Sealed: CustomStringConvertible {
    /// That it is sealed, and with which key.
    public var description: String { "sealed with \(keyID)" }
}

extension Sealed: Codable {
    /// Reads a value as it travels. One that is not sealed is refused: nobody is to get around it by sending the value as it is.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let sealed = Sealed(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "this is not sealed, expected a text such as sealed:1:KEY:BASE64")
        }
        self = sealed
    }

    /// Writes it as it travels.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
