// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A URL without what may be secret in it, right or wrong as it may be.
enum MaskedURL {
    /// Parameters that are no secrets.
    private static let plain: Set = [
        "db", "virtual_host", "priority_steps", "sep", "ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile",
        "synchronous", "master_name", "sentinel_tls",
    ]

    /// The URL with `***` for user and password, and for the values of parameters that nobody knows.
    static func text(_ url: String) -> String {
        guard let separator = url.firstRange(of: "://") else { return "***" }
        let scheme = url[..<separator.upperBound]
        var rest = url[separator.upperBound...]
        if scheme == "sqlite://" || scheme == "memory://" { return url }
        // The last one: a password may hold one that should have been percent-encoded, and a slash or question mark as well.
        let secret = rest.lastIndex(of: "@")
        if let secret { rest = rest[rest.index(after: secret)...] }
        let query = rest.firstIndex(of: "?").map { rest[rest.index(after: $0)...] } ?? ""
        let place = rest.prefix { $0 != "?" }
        let parameters = query.split(separator: "&").map { item -> String in
            let name = item.prefix { $0 != "=" }
            return plain.contains(String(name)) ? String(item) : "\(name)=***"
        }
        return scheme + (secret == nil ? "" : "***@") + place
            + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
    }
}
