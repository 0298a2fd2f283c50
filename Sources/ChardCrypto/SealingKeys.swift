// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Crypto
import FoundationEssentials

/// Keys that values are sealed with, by their names: the first seals, all of them open.
///
/// As text, one of them is `NAME:aes:BASE64`, 32 bytes for AES-256-GCM, as `chard keys new --kind aes` prints it. They are exchanged as
/// those that sign: the new one behind the old one everywhere, then in front, and the old one goes once nothing is kept that it sealed.
public struct SealingKeys: Sendable {
    /// The names of the keys, in their order.
    public let ids: [String]
    private let first: SymmetricKey
    private let byID: [String: SymmetricKey]

    /// Reads keys as text, with commas or line breaks between: `2026b:aes:BASE64`.
    /// - Throws: `AppError` that says what is wrong, and nothing of the keys.
    public init(_ text: String) throws(AppError) {
        var keys: [(id: String, key: SymmetricKey)] = []
        for text in KeyText.list(text) {
            let parts = try KeyText(text, example: Self.example)
            guard parts.kind == "aes" else {
                throw AppError(
                    "the key \(parts.id) is not one to seal with, expected the kind aes, as in \(Self.example)")
            }
            guard parts.bytes.count == 32 else {
                throw AppError(
                    "the key \(parts.id) has \(parts.bytes.count) bytes, expected 32; `chard keys new --kind aes` makes one"
                )
            }
            keys.append((parts.id, SymmetricKey(data: parts.bytes)))
        }
        guard let first = keys.first else {
            throw AppError("there is no key to seal with; `chard keys new --kind aes` makes one")
        }
        ids = keys.map(\.id)
        try KeyText.checkNames(ids)
        self.first = first.key
        byID = Dictionary(keys.map { ($0.id, $0.key) }) { key, _ in key }
    }

    private static let example = "2026b:aes:BASE64"

    /// A new key as text: a secret.
    public static func randomText(id: String) throws(AppError) -> String {
        try KeyText.check(name: id)
        return SymmetricKey(size: .bits256).withUnsafeBytes { "\(id):aes:\(Base64.encode(Array($0)))" }
    }

    /// Seals a value. The same one is another text each time, as long as its JSON by four thirds, and some 60 bytes more.
    /// - Parameters:
    ///   - value: What only whoever has the key is to read.
    ///   - purpose: What it is for, such as `"shop.charge card"`. It is not in the text, and no other purpose opens that: so nobody
    ///     who can write to the broker passes off one sealed value for another.
    public func seal<Value>(_ value: Value, for purpose: String) throws -> Sealed<Value> {
        let box = try AES.GCM.seal(try JSON.encode(value), using: first, authenticating: Self.context(purpose))
        guard let bytes = box.combined else { throw AppError("the nonce of AES-GCM is not one of 12 bytes") }
        return Sealed(keyID: ids[0], bytes: Array(bytes))
    }

    /// Opens a value that was sealed for the same purpose.
    /// - Throws: ``UnsealError`` where that was with a key that is not known here, for another purpose, or it was changed since.
    public func open<Value>(_ sealed: Sealed<Value>, for purpose: String) throws -> Value {
        guard let key = byID[sealed.keyID] else { throw UnsealError(.unknownKey, sealed.keyID, purpose) }
        let json: [UInt8]
        do {
            let box = try AES.GCM.SealedBox(combined: sealed.bytes)
            json = Array(try AES.GCM.open(box, using: key, authenticating: Self.context(purpose)))
        } catch {
            throw UnsealError(.wrong, sealed.keyID, purpose)
        }
        return try JSON.decode(Value.self, from: json)
    }

    private static func context(_ purpose: String) -> [UInt8] { Array("chard-sealed-1:\(purpose)".utf8) }
}

extension SealingKeys: CustomStringConvertible {
    /// The names, nothing of the keys.
    public var description: String { ids.joined(separator: ",") }
}

/// Why a sealed value cannot be opened.
public struct UnsealError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of trouble; more may be added.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name of the code.
        public let rawValue: String

        /// A code of any name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// It was sealed with a key that is not known here.
        public static let unknownKey = Code(rawValue: "unknown-key")
        /// It was changed, sealed for another purpose, or with another key of that name.
        public static let wrong = Code(rawValue: "wrong")
    }

    /// The kind of trouble.
    public let code: Code
    /// The key that it says it was sealed with.
    public let keyID: String
    private let purpose: String

    init(_ code: Code, _ keyID: String, _ purpose: String) {
        self.code = code
        self.keyID = keyID
        self.purpose = purpose
    }

    /// What is wrong, without the value.
    public var description: String {
        code == .unknownKey
            ? "it is sealed with the key \(keyID), which is not known here"
            : "it cannot be opened with the key \(keyID) for \"\(purpose)\": it was changed, or sealed for something else"
    }
}
