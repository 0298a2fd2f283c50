// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A signature as it travels: whose it is, and its bytes.
public struct MessageSignature: Sendable, Hashable {
    /// The name of the key. Which algorithm it is for, the key says and not the message.
    public var keyID: String
    /// What the algorithm has made.
    public var bytes: [UInt8]

    /// A signature by the key of that name.
    public init(keyID: String, bytes: [UInt8]) {
        self.keyID = keyID
        self.bytes = bytes
    }

    /// The header that it travels in. Python's workers ignore it.
    static let header = "chard_sig"

    /// `1:KEY:BASE64`; the number is that of what is signed, and how.
    var text: String { "1:\(keyID):\(Base64.encode(bytes))" }

    /// Reads ``text``; `nil` if it is none.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "1", !parts[1].isEmpty, let bytes = Base64.decode(String(parts[2])) else {
            return nil
        }
        self.init(keyID: String(parts[1]), bytes: bytes)
    }
}
