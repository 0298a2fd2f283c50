// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Keys by their names: the first that can signs, all of them check.
///
/// A key is exchanged in three steps, with no message refused between: the new one is added behind the old one everywhere, then it is
/// put first, and once no message is left that the old one has signed, that one goes.
public struct SigningKeys: MessageSigner {
    /// The keys, in their order.
    public let keys: [SigningKey]
    private let byID: [String: SigningKey]
    private let first: SigningKey?

    /// Keys that others have made.
    /// - Throws: `AppError` where there is none, or two have one name.
    public init(_ keys: [SigningKey]) throws(AppError) {
        guard !keys.isEmpty else {
            throw AppError("there is no key to sign with or to check by; `chard keys new` makes one")
        }
        try KeyText.checkNames(keys.map(\.id))
        self.keys = keys
        byID = Dictionary(keys.map { ($0.id, $0) }) { key, _ in key }
        first = keys.first(where: \.canSign)
    }

    /// Reads keys as text, with commas or line breaks between: `2026b:hmac:BASE64,web:ed25519-public:BASE64`.
    public init(_ text: String) throws(AppError) {
        var keys: [SigningKey] = []
        for text in KeyText.list(text) { keys.append(try SigningKey(text)) }
        try self.init(keys)
    }

    /// Whether one of them can sign.
    public var canSign: Bool { first != nil }

    /// Signs with the first key that can.
    public func sign(_ bytes: [UInt8]) -> MessageSignature? { first?.sign(bytes) }

    /// Judges a signature by the key that it names.
    public func verdict(on signature: MessageSignature, of bytes: [UInt8]) -> SignatureVerdict {
        guard let key = byID[signature.keyID] else { return .unknownKey }
        return key.isGood(signature.bytes, of: bytes) ? .good : .wrong
    }
}
