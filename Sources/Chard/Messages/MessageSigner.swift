// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What signs bytes, and knows others' signatures. `ChardCrypto` has one with keys of HMAC-SHA256 and Ed25519.
public protocol MessageSigner: Sendable {
    /// Whether there is a key to sign with; to check what others have signed, a public one is enough.
    var canSign: Bool { get }

    /// Signs bytes; `nil` where there is no key to sign with.
    func sign(_ bytes: [UInt8]) -> MessageSignature?

    /// Judges a signature of bytes. It must take as long for a wrong one as for a good one.
    func verdict(on signature: MessageSignature, of bytes: [UInt8]) -> SignatureVerdict
}

/// What there is to say of a signature.
public enum SignatureVerdict: Sendable, Hashable {
    /// It was made of these bytes, by the key that it names.
    case good
    /// It was not.
    case wrong
    /// The key that it names is not known here.
    case unknownKey
}
