// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The pieces of a Redis URL, taken out one by one until nothing is left.
struct RedisURLParts {
    let scheme: String
    private var credentials: Substring?
    /// What stands for the host; one for each URL of a list.
    private var hosts: [Substring]
    private var path: Substring
    private var query: [String: String]

    init(_ text: String) throws(RedisError) {
        guard let separator = text.firstRange(of: "://") else {
            throw RedisError(badURL: "it does not start with a scheme such as redis://")
        }
        scheme = Self.redisName(of: text[..<separator.lowerBound].lowercased())
        let rest = text[separator.upperBound...]
        guard !rest.contains("#") else { throw RedisError(badURL: "it has a '#'; in a password, write %23") }
        let (location, query) = rest.split(atFirst: "?")
        let authorityEnd = location.firstIndex(of: "/") ?? location.endIndex
        let authority = location[..<authorityEnd]
        path = location[authorityEnd...]
        guard authority.contains("@") || !rest.contains("@") else {
            throw RedisError(badURL: "it has an '@' behind the host; in a password, '/' is %2F and '?' is %3F")
        }
        if let at = authority.lastIndex(of: "@") {
            credentials = authority[..<at]
            hosts = [authority[authority.index(after: at)...]]
        } else {
            credentials = nil
            hosts = [authority]
        }
        self.query = try Self.parse(query: query ?? "")
    }

    /// Of a list of `sentinel://` URLs, as Celery has them, with semicolons between: what they say together.
    init(each text: String) throws(RedisError) {
        guard text.lowercased().hasPrefix("sentinel://") else {
            self = try RedisURLParts(text)
            return
        }
        var all: RedisURLParts?
        for item in text.split(separator: ";") {
            let one = try RedisURLParts(String(item))
            guard one.scheme == "sentinel" else {
                throw RedisError(badURL: "of several sentinels, each is named by a URL that starts with sentinel://")
            }
            try all?.take(over: one)
            all = all ?? one
        }
        guard let all else { throw RedisError(badURL: "the host is missing") }
        self = all
    }

    private mutating func take(over other: RedisURLParts) throws(RedisError) {
        hosts += other.hosts
        credentials = credentials ?? other.credentials
        if path.count < 2 { path = other.path }
        var isSame = other.path.count < 2 || other.path == path
        isSame = isSame && (other.credentials ?? credentials) == credentials
        query.merge(other.query) { mine, its in
            isSame = isSame && mine == its
            return mine
        }
        guard isSame else {
            throw RedisError(badURL: "the URLs of the sentinels differ in user, password, database or a parameter")
        }
    }

    /// The scheme, by the name that Redis had first.
    static func redisName(of scheme: String) -> String {
        scheme.hasPrefix("valkey") ? "redis" + scheme.dropFirst("valkey".count) : scheme
    }

    private static func parse(query: Substring) throws(RedisError) -> [String: String] {
        var values: [String: String] = [:]
        for item in query.split(separator: "&") {
            let (name, value) = item.split(atFirst: "=")
            values[try name.percentDecoded()] = try (value ?? "").percentDecoded()
        }
        return values
    }

    func tcpAddress() throws(RedisError) -> RedisURL.Address {
        try Self.tcpAddress(of: hosts[0], usualPort: 6379)
    }

    /// Takes the name of the primary from the path, or from the query.
    mutating func sentinels(tls: RedisTLS?) throws(RedisError) -> Sentinels {
        var addresses: [RedisURL.Address] = []
        for host in hosts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            addresses.append(try Self.tcpAddress(of: host, usualPort: 26379))
        }
        var name = query.removeValue(forKey: "master_name")
        if name == nil, scheme != "sentinel" {
            let rest = path.drop { $0 == "/" }
            name = try rest.prefix { $0 != "/" }.percentDecoded()
            path = rest.drop { $0 != "/" }
        }
        guard let name, !name.isEmpty else {
            throw RedisError(
                badURL:
                    "it does not say which primary the sentinels are asked for: /mymaster/0 or ?master_name=mymaster")
        }
        let secured = query.removeValue(forKey: "sentinel_tls")
        guard [nil, "true", "false"].contains(secured) else {
            throw RedisError(badURL: "sentinel_tls is neither true nor false")
        }
        if secured == "true", tls == nil {
            throw RedisError(badURL: "sentinel_tls is for URLs that start with rediss+sentinel://")
        }
        return Sentinels(
            addresses, primary: name, tls: secured == "true" ? tls : nil,
            user: query.removeValue(forKey: "sentinel_username"),
            password: query.removeValue(forKey: "sentinel_password"))
    }

    private static func tcpAddress(of host: Substring, usualPort: Int) throws(RedisError) -> RedisURL.Address {
        var name = host
        var port: Substring?
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { throw RedisError(badURL: "the IPv6 host has no ']'") }
            name = host[host.index(after: host.startIndex)..<end]
            let rest = host[host.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw RedisError(badURL: "']' is not followed by a port") }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            (name, port) = host.split(atFirst: ":")
            if port?.contains(":") == true { throw RedisError(badURL: "an IPv6 host stands in brackets: [::1]") }
        }
        guard !name.isEmpty else { throw RedisError(badURL: "the host is missing") }
        guard let port, !port.isEmpty else { return .tcp(host: try name.percentDecoded(), port: usualPort) }
        guard let number = Int(port), (1...65535).contains(number) else {
            throw RedisError(
                badURL: "the port is not a number from 1 to 65535; in a password, '/' is %2F and '?' is %3F")
        }
        return .tcp(host: try name.percentDecoded(), port: number)
    }

    func unixAddress() throws(RedisError) -> RedisURL.Address {
        guard hosts[0].isEmpty else { throw RedisError(badURL: "a Unix socket has a path and no host: three slashes") }
        guard path.count > 1 else { throw RedisError(badURL: "the path of the Unix socket is missing") }
        let path = try path.percentDecoded()
        // What fits into the address of a Unix socket on macOS; Linux takes four bytes more.
        guard path.utf8.count < 104 else { throw RedisError(badURL: "the path of the Unix socket is over 103 bytes") }
        return .unix(path: path)
    }

    /// The database, from the path of a TCP URL or from the query; kombu calls it `virtual_host` on Unix sockets.
    mutating func database() throws(RedisError) -> Int {
        var found: [String] = []
        if !scheme.hasSuffix("unix"), scheme != "redis+socket" {
            let name = path.drop { $0 == "/" }
            if !name.isEmpty { found.append(String(name)) }
        }
        for name in ["db", "virtual_host"] { if let value = query.removeValue(forKey: name) { found.append(value) } }
        guard let first = found.first else { return 0 }
        guard let number = Int(first), number >= 0, found.allSatisfy({ $0 == first }) else {
            throw RedisError(badURL: "the database is not one number, 0 or above")
        }
        return number
    }

    /// The user; nil for the server's default user.
    func user() throws(RedisError) -> String? {
        guard let credentials else { return nil }
        let name = try credentials.split(atFirst: ":").0.percentDecoded()
        return name.isEmpty ? nil : name
    }

    func password() throws(RedisError) -> String? {
        guard let password = credentials?.split(atFirst: ":").1, !password.isEmpty else { return nil }
        return try password.percentDecoded()
    }

    mutating func tls() throws(RedisError) -> RedisTLS {
        let verification = query.removeValue(forKey: "ssl_cert_reqs")?.lowercased()
        let accepted = ["none", "cert_none", "optional", "cert_optional", "required", "cert_required"]
        guard verification.map(accepted.contains) ?? true else {
            throw RedisError(badURL: "ssl_cert_reqs is none of required, optional, none")
        }
        return RedisTLS(
            authorityFile: query.removeValue(forKey: "ssl_ca_certs"),
            certificateFile: query.removeValue(forKey: "ssl_certfile"),
            keyFile: query.removeValue(forKey: "ssl_keyfile"),
            // A client has no use for a certificate that it does not check, so "optional" checks it.
            acceptsAnyCertificate: verification?.hasSuffix("none") ?? false)
    }

    /// The steps of priority, under the names that kombu has for them.
    mutating func priorities() throws(RedisError) -> PrioritySteps? {
        let (steps, separator) = (query.removeValue(forKey: "priority_steps"), query.removeValue(forKey: "sep"))
        guard steps != nil || separator != nil else { return nil }
        do {
            return try PrioritySteps(
                PrioritySteps.steps(in: steps) ?? PrioritySteps.usual.steps,
                separator: separator ?? PrioritySteps.usualSeparator)
        } catch {
            throw RedisError(badURL: error.message)
        }
    }

    func checkNothingIsLeft() throws(RedisError) {
        guard let unknown = query.keys.sorted().first else { return }
        let known =
            "db, priority_steps, sep"
            + (scheme.hasSuffix("sentinel") ? ", master_name, sentinel_username, sentinel_password, sentinel_tls" : "")
            + (scheme.hasPrefix("rediss") ? ", ssl_cert_reqs, ssl_ca_certs, ssl_certfile, ssl_keyfile" : "")
        throw RedisError(badURL: "it has a parameter \"\(unknown)\" that means nothing here (known: \(known))")
    }
}

extension StringProtocol where SubSequence == Substring {
    /// What stands before the first `separator`, and what behind it, or nil if there is none.
    fileprivate func split(atFirst separator: Character) -> (Substring, Substring?) {
        guard let index = firstIndex(of: separator) else { return (self[...], nil) }
        return (self[..<index], self[self.index(after: index)...])
    }

    fileprivate func percentDecoded() throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = self[...].utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let value = UInt8(String(Substring(rest.prefix(2))), radix: 16), rest.count >= 2 else {
                throw RedisError(badURL: "a '%' is not followed by two hexadecimal digits; a plain '%' is %25")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RedisError(badURL: "percent-encoded bytes are not UTF-8")
        }
        return text
    }
}
