// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisError {
    /// The kind of a ``RedisError``; more may be added, so a `switch` over them needs a default.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, as in `connectionRefused`.
        public let description: String

        let isRetryable: Bool

        private init(_ name: String, retryable: Bool = false) {
            description = name
            isRetryable = retryable
        }

        /// Nothing listens on the port or the Unix socket.
        public static let connectionRefused = Code("connectionRefused", retryable: true)
        /// The host has no address, or no way leads to it.
        public static let unreachable = Code("unreachable", retryable: true)
        /// The connection ended before the reply came; the command may have been carried out.
        public static let closed = Code("closed", retryable: true)
        /// This program has closed the connection for good.
        public static let shutDown = Code("shutDown")
        /// No connection, or no reply, within the time allowed.
        public static let timedOut = Code("timedOut", retryable: true)
        /// The waiting task was cancelled; the command may have been carried out.
        public static let cancelled = Code("cancelled")
        /// The server wants a password, or another one.
        public static let authentication = Code("authentication")
        /// The user may not run this command, or may not touch this key or channel.
        public static let noPermission = Code("noPermission")
        /// The key holds a value of another type than the command works on.
        public static let wrongType = Code("wrongType")
        /// The server is still reading its data from disk.
        public static let loading = Code("loading", retryable: true)
        /// The server is a replica that takes no writes.
        public static let readOnly = Code("readOnly", retryable: true)
        /// A script or a module keeps the server busy.
        public static let busy = Code("busy", retryable: true)
        /// The replica has lost its primary.
        public static let masterDown = Code("masterDown", retryable: true)
        /// The server has reached `maxmemory` and may evict nothing, or this program has no memory left.
        public static let outOfMemory = Code("outOfMemory", retryable: true)
        /// The server can't write its data to disk and therefore takes no writes.
        public static let misconfigured = Code("misconfigured", retryable: true)
        /// Too few replicas are connected for the server to take writes.
        public static let noReplicas = Code("noReplicas", retryable: true)
        /// The server has as many clients as its `maxclients` allows.
        public static let tooManyClients = Code("tooManyClients", retryable: true)
        /// A cluster asks to try again, in the middle of moving keys.
        public static let tryAgain = Code("tryAgain", retryable: true)
        /// The cluster has parts that no server is responsible for.
        public static let clusterDown = Code("clusterDown", retryable: true)
        /// The key lives on another server of a cluster.
        public static let clusterMoved = Code("clusterMoved")
        /// The server takes no argument, or no request, of this size, and closes the connection that sends one.
        public static let tooLarge = Code("tooLarge")
        /// The server does not know the script.
        public static let noScript = Code("noScript")
        /// `CLIENT UNBLOCK` ended a blocking command with an error.
        public static let unblocked = Code("unblocked")
        /// What answers does not speak Redis's protocol.
        public static let protocolError = Code("protocolError")
        /// The TLS handshake failed, or a certificate or key can't be used.
        public static let tls = Code("tls")
        /// The URL is not one of a Redis server.
        public static let badURL = Code("badURL")
        /// Any other error that the server answered.
        public static let server = Code("server")
    }
}

extension RedisError {
    /// Whether a server that can be reached does not do what it is asked: nobody else says so.
    var isOfServer: Bool {
        [.readOnly, .busy, .masterDown, .outOfMemory, .misconfigured, .noReplicas, .clusterDown].contains(code)
    }

    /// Whether it is this command that the server refuses for a reason which lasts, while it serves others.
    var isOfCommand: Bool { [.noPermission, .wrongType, .tooLarge, .clusterMoved, .noScript, .server].contains(code) }

    /// Whether the server, or a proxy before it, does not have the command.
    var isUnknownCommand: Bool {
        code == .server && (message.hasPrefix("ERR unknown command") || message.hasPrefix("ERR unknown subcommand"))
    }

    /// Whether the command is not to be had, at this server or by this user.
    var isForWantOfCommand: Bool { code == .noPermission || isUnknownCommand }

    /// The error that an error reply stands for: its first word decides, as Redis means it to.
    init(reply: String) {
        self.init(code: Code(reply: reply), message: reply)
    }
}

extension RedisError.Code {
    fileprivate static let byFirstWord: [String: RedisError.Code] = [
        "WRONGPASS": .authentication, "NOAUTH": .authentication, "NOPERM": .noPermission, "DENIED": .noPermission,
        "WRONGTYPE": .wrongType, "LOADING": .loading, "READONLY": .readOnly, "BUSY": .busy, "MASTERDOWN": .masterDown,
        "OOM": .outOfMemory, "MISCONF": .misconfigured, "NOREPLICAS": .noReplicas, "TRYAGAIN": .tryAgain,
        "CLUSTERDOWN": .clusterDown, "MOVED": .clusterMoved, "ASK": .clusterMoved, "NOSCRIPT": .noScript,
        "UNBLOCKED": .unblocked,
    ]

    /// An error reply from where its code stands: in a script's, up to Redis 6.2, behind the place in the script.
    private static func coded(_ reply: String) -> Substring {
        guard let end = reply.ends(of: "@user_script:").last else { return reply[...] }
        let rest = reply[end...].drop { $0 == " " || $0.isNumber }
        guard rest.hasPrefix(": ") else { return reply[...] }
        return rest.dropFirst(2).drop { $0 == "-" }
    }

    fileprivate init(reply: String) {
        let firstWord = Self.coded(reply).prefix { $0 != " " }
        if let code = Self.byFirstWord[String(firstWord)] {
            self = code
        } else if reply.hasPrefix("ERR AUTH") || reply.hasPrefix("ERR Client sent AUTH")
            || reply.hasPrefix("ERR invalid password")
        {
            self = .authentication
        } else if reply.hasPrefix("ERR Protocol error: invalid bulk length")
            || reply.hasPrefix("ERR Protocol error: invalid multibulk length")
            || reply.hasPrefix("ERR string exceeds maximum allowed size")
        {
            self = .tooLarge
        } else if !reply.ends(of: "The user executing the script can't").isEmpty
            || !reply.ends(of: "ACL failure in script").isEmpty
        {
            // What a script may not do, up to Redis 7.0 and from 7.2 on.
            self = .noPermission
        } else if reply.hasPrefix("ERR max number of clients") {
            self = .tooManyClients
        } else {
            self = .server
        }
    }
}

extension String {
    /// Where each occurrence of an ASCII text ends. By bytes: a search by characters makes tables first, for each error.
    fileprivate func ends(of text: String) -> [Index] {
        let (bytes, wanted) = (utf8, text.utf8)
        return bytes.indices.compactMap { place in
            guard bytes[place] == wanted.first, bytes[place...].starts(with: wanted) else { return nil }
            return bytes.index(place, offsetBy: wanted.count)
        }
    }
}
