// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Crypto
import FoundationEssentials

/// A key that signs messages, or only knows signatures.
///
/// As text it is `NAME:KIND:BASE64`, as `chard keys new` prints it and `CHARD_SIGNING_KEYS` takes it. The name travels with each
/// signature, so that it is known which key to check it with.
public struct SigningKey: Sendable {
    /// What a key can do.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// HMAC-SHA256: whoever can check can sign.
        case hmac
        /// Ed25519, the private half: signs and checks.
        case ed25519
        /// Ed25519, the public half: checks.
        case ed25519Public = "ed25519-public"
    }

    private enum Material: Sendable {
        case hmac(SymmetricKey)
        case ed25519(Curve25519.Signing.PrivateKey)
        case ed25519Public(Curve25519.Signing.PublicKey)
    }

    /// The name that it travels under.
    public let id: String
    private let material: Material

    /// Reads a key's text.
    /// - Throws: `AppError` that says what is wrong, and nothing of the key.
    public init(_ text: String) throws(AppError) {
        let parts = try KeyText(text, example: Self.example)
        guard let kind = Kind(rawValue: parts.kind) else {
            throw AppError(
                "the key \(parts.id) is of a kind that is not known, expected hmac, ed25519 or ed25519-public, as in \(Self.example)"
            )
        }
        let isLongEnough = kind == .hmac ? parts.bytes.count >= 32 : parts.bytes.count == 32
        guard isLongEnough else {
            throw AppError(
                "the key \(parts.id) has \(parts.bytes.count) bytes, expected \(kind == .hmac ? "at least " : "")32; "
                    + "`chard keys new` makes one")
        }
        do {
            switch kind {
            case .hmac: material = .hmac(SymmetricKey(data: parts.bytes))
            case .ed25519: material = .ed25519(try Curve25519.Signing.PrivateKey(rawRepresentation: parts.bytes))
            case .ed25519Public:
                material = .ed25519Public(try Curve25519.Signing.PublicKey(rawRepresentation: parts.bytes))
            }
        } catch {
            throw AppError("the key \(parts.id) is not one of \(kind.rawValue): \(error)")
        }
        id = parts.id
    }

    private init(_ id: String, _ material: Material) {
        self.id = id
        self.material = material
    }

    private static let example = "2026b:hmac:BASE64"

    /// A new key.
    /// - Parameters:
    ///   - id: The name that it travels under.
    ///   - isPrivate: A key of Ed25519; of HMAC where this is `false`.
    /// - Throws: `AppError` for a name that cannot travel.
    public static func random(id: String, ed25519 isPrivate: Bool = false) throws(AppError) -> SigningKey {
        try KeyText.check(name: id)
        return SigningKey(
            id, isPrivate ? .ed25519(Curve25519.Signing.PrivateKey()) : .hmac(SymmetricKey(size: .bits256)))
    }

    /// What it can do.
    public var kind: Kind {
        switch material {
        case .hmac: .hmac
        case .ed25519: .ed25519
        case .ed25519Public: .ed25519Public
        }
    }

    /// The key as text: a secret, unless it is a public one.
    public var text: String {
        let bytes: [UInt8] =
            switch material {
            case .hmac(let key): key.withUnsafeBytes { Array($0) }
            case .ed25519(let key): Array(key.rawRepresentation)
            case .ed25519Public(let key): Array(key.rawRepresentation)
            }
        return "\(id):\(kind.rawValue):\(Base64.encode(bytes))"
    }

    /// What others need to check the signatures of this one; `nil` where that is no less than the key itself.
    public var publicHalf: SigningKey? {
        switch material {
        case .hmac: nil
        case .ed25519(let key): SigningKey(id, .ed25519Public(key.publicKey))
        case .ed25519Public: self
        }
    }

    /// Whether it signs.
    var canSign: Bool { kind != .ed25519Public }

    func sign(_ bytes: [UInt8]) -> MessageSignature? {
        switch material {
        case .hmac(let key):
            MessageSignature(keyID: id, bytes: Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key)))
        case .ed25519(let key):
            (try? key.signature(for: bytes)).map { MessageSignature(keyID: id, bytes: Array($0)) }
        case .ed25519Public: nil
        }
    }

    func isGood(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        switch material {
        case .hmac(let key): HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: bytes, using: key)
        case .ed25519(let key): key.publicKey.isValidSignature(signature, for: bytes)
        case .ed25519Public(let key): key.isValidSignature(signature, for: bytes)
        }
    }
}

extension SigningKey: CustomStringConvertible {
    /// Name and kind, nothing of the key.
    public var description: String { "\(id):\(kind.rawValue)" }
}
