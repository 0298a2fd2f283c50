// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where a Redis server is and how to speak to it: `redis://user:password@host:6379/0` and its relatives.
///
/// - `redis://` is plain TCP, `rediss://` is TLS; the port defaults to 6379, the database to 0.
/// - `valkey://` and `valkeys://` mean the same as `redis://` and `rediss://`.
/// - `redis+unix:///run/redis.sock?db=0` is a Unix socket; `unix://` and `redis+socket://` mean the same.
/// - `redis+sentinel://user:password@host1:26379,host2,host3/mymaster/0` asks sentinels for the primary, again for each
///   connection; with `rediss+sentinel://` the server has TLS. `sentinel://host1:26379;sentinel://host2:26379/0` with
///   `?master_name=mymaster` is Celery's form of it. `sentinel_username`, `sentinel_password` and, where the sentinels have
///   TLS as well, `sentinel_tls=true` are parameters; user and password before the hosts are the server's.
/// - The database stands in the path or as `?db=`; `rediss://` also takes `ssl_cert_reqs`, `ssl_ca_certs`,
///   `ssl_certfile` and `ssl_keyfile`, with the meanings that Celery gives them.
/// - `?priority_steps=0,1,2,3,4,5,6,7,8,9&sep=:` are the steps of priority and their separator, as Celery's
///   `broker_transport_options` name them: see ``PrioritySteps``.
/// - In user and password, special characters are percent-encoded: `@` is `%40`, `:` is `%3A`, `/` is `%2F`.
///
/// Neither user nor password shows in any description, dump or error.
public struct RedisURL: Sendable, Hashable {
    /// What a connection is opened to.
    public enum Address: Sendable, Hashable {
        /// A TCP port of a host; an IPv6 address stands here without brackets.
        case tcp(host: String, port: Int)
        /// The path of a Unix socket.
        case unix(path: String)
    }

    /// What a connection is opened to; with ``sentinels``, where the first of them is.
    public var address: Address
    /// Who is asked where the primary is; nil where ``address`` is the server's.
    public var sentinels: Sentinels?
    /// Which of the server's numbered databases is used.
    public var database: Int
    /// The encryption; nil speaks in the clear.
    public var tls: RedisTLS?
    /// The steps of priority; `nil` where the URL says nothing of them.
    public var priorities: PrioritySteps?
    package var user: String?
    package var password: String?

    /// Reads a URL; throws ``RedisError/Code/badURL`` with what is wrong and how it would be right.
    public init(_ text: String) throws(RedisError) {
        var parts = try RedisURLParts(each: text)
        tls = try parts.scheme.hasPrefix("rediss") ? parts.tls() : nil
        switch parts.scheme {
        case "redis", "rediss":
            address = try parts.tcpAddress()
        case "redis+unix", "redis+socket", "unix":
            address = try parts.unixAddress()
        case "redis+sentinel", "rediss+sentinel", "sentinel":
            let sentinels = try parts.sentinels(tls: tls)
            address = sentinels.addresses[0]
            self.sentinels = sentinels
        default:
            throw RedisError(
                badURL: "the scheme \"\(parts.scheme)\" is none of redis, rediss, redis+unix, redis+sentinel")
        }
        database = try parts.database()
        user = try parts.user()
        password = try parts.password()
        priorities = try parts.priorities()
        try parts.checkNothingIsLeft()
    }

    /// The URL of a server's database 0.
    init(_ address: Address, user: String?, password: String?, tls: RedisTLS?) {
        self.address = address
        self.user = user
        self.password = password
        self.tls = tls
        database = 0
    }

    /// Whether a URL with this scheme is one of a Redis server.
    package static func has(scheme: String) -> Bool {
        ["redis", "rediss", "redis+unix", "redis+socket", "unix", "redis+sentinel", "rediss+sentinel", "sentinel"]
            .contains(RedisURLParts.redisName(of: scheme))
    }

    /// The address alone, as errors and logs name it: `host:port`, the socket's path, or whose primary it is.
    package var peer: String {
        guard let sentinels else { return address.text }
        return "the primary of \"\(sentinels.primary)\" (sentinels \(sentinels))"
    }
}

extension RedisURL.Address {
    /// `host:port`, or the socket's path.
    package var text: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

extension RedisURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL with `***` in place of user and password, and without the names of TLS files and steps of priority.
    public var description: String {
        let secret = user == nil && password == nil ? "" : "***@"
        if let sentinels {
            let scheme = "\(tls == nil ? "redis" : "rediss")+sentinel"
            return "\(scheme)://\(secret)\(sentinels)/\(sentinels.primary)/\(database)"
        }
        return switch address {
        case .tcp: "\(tls == nil ? "redis" : "rediss")://\(secret)\(peer)/\(database)"
        case .unix(let path): "redis+unix://\(secret)\(path)?db=\(database)"
        }
    }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// A mirror that shows only ``description``.
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}

extension RedisError {
    /// An error about a URL. It never repeats a part of the text, which may be a part of a password.
    init(badURL problem: String) {
        self.init(
            code: .badURL,
            message: "not a Redis URL: \(problem); write redis://user:password@host:6379/0 (user and password may be "
                + "left out), rediss://... for TLS, redis+unix:///path/to/redis.sock?db=0, or "
                + "redis+sentinel://host1:26379,host2/mymaster/0")
    }
}
