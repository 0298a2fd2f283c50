// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where probes are answered: `0.0.0.0:9100`, `[::1]:9100`, or `:9100` for all addresses of this machine.
struct ProbeAddress: Sendable, Hashable, CustomStringConvertible {
    let host: String
    let port: Int

    static let expected = "an address such as 127.0.0.1:9100"

    /// Reads an address; `nil` where it is none.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.contains(where: { $0.isWhitespace || $0 == "/" }) else { return nil }
        self.host = host.isEmpty ? "0.0.0.0" : String(host)
        self.port = port
    }

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Whether only this machine reaches it.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// The host as a browser on this machine may say it.
    var readableHost: String { ["0.0.0.0", "::"].contains(host) ? "localhost" : host }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
