// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How a connection to Redis is encrypted, and whom it trusts.
public struct RedisTLS: Sendable, Hashable {
    /// A file of PEM certificates to trust instead of the system's; nil trusts what the system trusts.
    public var authorityFile: String?
    /// A file with this program's own PEM certificate chain, where the server asks for one.
    public var certificateFile: String?
    /// A file with the PEM key that belongs to ``certificateFile``.
    public var keyFile: String?
    /// Accepts any certificate of any server, so that anyone on the way can read and change everything.
    public var acceptsAnyCertificate: Bool

    /// Encryption with the system's trust roots unless told otherwise.
    public init(
        authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
        acceptsAnyCertificate: Bool = false
    ) {
        self.authorityFile = authorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.acceptsAnyCertificate = acceptsAnyCertificate
    }
}
