// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a probe asks for: a path at an address.
struct ProbeTarget: Sendable, Hashable, CustomStringConvertible {
    let host: String
    let port: Int
    let path: String

    /// A path of a program that answers at `address`, as that program's own machine reaches it.
    init(_ path: String, at address: ProbeAddress) {
        host =
            switch address.host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "::1"
            default: address.host
            }
        port = address.port
        self.path = path
    }

    /// Reads `http://host:port/path`; `nil` where it is none.
    init?(url: String) {
        guard url.hasPrefix(Self.scheme) else { return nil }
        let rest = url.dropFirst(Self.scheme.count)
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = String(rest[..<end])
        // The address needs a port; 80 is HTTP's.
        let hasPort = authority.last != "]" && authority.contains(":")
        guard !authority.isEmpty else { return nil }
        guard let address = ProbeAddress(hasPort ? authority : authority + ":80") else { return nil }
        self.init(end == rest.endIndex ? "/" : String(rest[end...]), at: address)
    }

    var description: String { "\(Self.scheme)\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)" }

    private static let scheme = "http://"
}
