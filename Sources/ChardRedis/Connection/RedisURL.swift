// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where a Redis server is and how to speak to it: `redis://user:password@host:6379/0` and its relatives.
///
/// - `redis://` is plain TCP, `rediss://` is TLS; the port defaults to 6379, the database to 0.
/// - `redis+unix:///run/redis.sock?db=0` is a Unix socket; `unix://` and `redis+socket://` mean the same.
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

    /// What a connection is opened to.
    public var address: Address
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
        var parts = try RedisURLParts(text)
        switch parts.scheme {
        case "redis", "rediss":
            address = try parts.tcpAddress()
        case "redis+unix", "redis+socket", "unix":
            address = try parts.unixAddress()
        default:
            throw RedisError(badURL: "the scheme \"\(parts.scheme)\" is none of redis, rediss, redis+unix")
        }
        database = try parts.database()
        user = try parts.user()
        password = try parts.password()
        tls = try parts.scheme == "rediss" ? parts.tls() : nil
        priorities = try parts.priorities()
        try parts.checkNothingIsLeft()
    }

    /// The address alone, as errors and logs name it: `host:port`, or the socket's path.
    package var peer: String {
        switch address {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

extension RedisURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL with `***` in place of user and password, and without the names of TLS files and steps of priority.
    public var description: String {
        let secret = user == nil && password == nil ? "" : "***@"
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
                + "left out), rediss://... for TLS, or redis+unix:///path/to/redis.sock?db=0")
    }
}
