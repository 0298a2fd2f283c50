// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A content type as other clients write it: `application/json; charset=utf-8`.
struct MediaType: Sendable, Hashable {
    /// `application/json`, in lower case.
    let name: String
    /// The parameter `charset`, in lower case and without quotes.
    let charset: String?

    init(_ text: String) {
        let parts = text.lowercased().split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
        name = parts[0]
        charset =
            parts.dropFirst().lazy.compactMap { part -> String? in
                guard part.hasPrefix("charset") else { return nil }
                let rest = Self.trimmed(part.dropFirst("charset".count))
                guard rest.hasPrefix("=") else { return nil }
                return Self.trimmed(rest.dropFirst()).filter { $0 != "\"" }
            }.first
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
