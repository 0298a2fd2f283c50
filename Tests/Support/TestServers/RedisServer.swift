// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A real `redis-server` of a test's own, on a free loopback port or a Unix socket in a directory of its own.
///
/// It keeps nothing on disk unless its configuration says so, and is killed when nobody holds it any more.
public final class RedisServer: Sendable {
    /// How the server is started.
    public struct Configuration: Sendable {
        /// What clients connect to.
        public enum Transport: Sendable {
            case tcp
            case unixSocket
            /// TLS with a certificate that signs itself.
            case tls(asksForClientCertificate: Bool = false, certificate: Certificate = .good)
        }

        /// A certificate that a TLS server shows.
        public enum Certificate: Sendable {
            /// For `localhost` and `127.0.0.1`.
            case good
            /// The same, but its time was over yesterday.
            case expired
            /// For a machine elsewhere.
            case ofAnother
        }

        /// What clients connect to.
        public var transport = Transport.tcp
        /// The default user's password.
        public var password: String?
        /// Whether the data outlives a kill: an append-only file, written at each command.
        public var isPersistent = false
        /// Further lines of `redis.conf`, as in `maxmemory 1mb`.
        public var lines: [String] = []

        /// The given transport and password, no persistence.
        public init(
            transport: Transport = .tcp, password: String? = nil, isPersistent: Bool = false, lines: [String] = []
        ) {
            self.transport = transport
            self.password = password
            self.isPersistent = isPersistent
            self.lines = lines
        }
    }

    /// The program: `CHARD_TEST_REDIS_SERVER`, a path to another server's, or `redis-server`.
    static let program = ProcessInfo.processInfo.environment["CHARD_TEST_REDIS_SERVER"] ?? "redis-server"
    /// Whether it is the system's own. Others, as they come in wheels, have no TLS.
    public static var isUsual: Bool { program == "redis-server" }

    /// How the server was started.
    public let configuration: Configuration
    /// The TCP port; for a Unix socket none, and zero.
    public let port: Int
    /// The server's own directory, removed at the end.
    public let directory: String
    private let process: Mutex<Child?>

    /// The URL of the server's database 0, with its password, and trusting its certificate.
    public var url: String { url(database: 0) }

    /// The PEM certificate of a TLS server, which is its own authority, and which clients may show as theirs.
    public var certificateFile: String { directory + "/certificate.pem" }
    /// The PEM key of ``certificateFile``.
    public var keyFile: String { directory + "/key.pem" }
    /// The Unix socket, if the server listens on one.
    public var socketPath: String { directory + "/redis.sock" }
    /// What the server has logged.
    public var log: String { (try? String(contentsOfFile: directory + "/redis.log", encoding: .utf8)) ?? "" }
    /// The server's process id, while it runs.
    public var processID: Int32? { process.withLock { $0?.id } }

    /// Starts a server and waits until it answers.
    public static func start(_ configuration: Configuration = Configuration()) async throws -> RedisServer {
        var log = ""
        // Another program may take the port between the question for a free one and the server's start.
        for _ in 0..<5 {
            let directory = FileManager.default.temporaryDirectory.path + "/redis-\(UInt32.random(in: 0 ... .max))"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let server = RedisServer(configuration, port: try FreePort.find(), directory: directory)
            if case .tls(_, let certificate) = configuration.transport {
                try await server.make(certificate)
            }
            if try await server.launch() { return server }
            log = server.log
        }
        throw TestServerError("redis-server did not start: \(log)")
    }

    /// Runs a test with a server of its own, and ends the server whatever comes of it.
    public static func with<Value>(
        _ configuration: Configuration = Configuration(), _ body: (RedisServer) async throws -> Value
    ) async throws -> Value {
        let server = try await start(configuration)
        do {
            let value = try await body(server)
            await server.stop()
            return value
        } catch {
            await server.stop()
            throw error
        }
    }

    private init(_ configuration: Configuration, port: Int, directory: String) {
        self.configuration = configuration
        if case .unixSocket = configuration.transport { self.port = 0 } else { self.port = port }
        self.directory = directory
        process = Mutex(nil)
    }

    deinit {
        process.withLock { $0?.signal(SIGKILL) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The URL of one of the server's databases.
    public func url(database: Int) -> String {
        let secret = configuration.password.map { ":\($0)@" } ?? ""
        return switch configuration.transport {
        case .tcp: "redis://\(secret)127.0.0.1:\(port)/\(database)"
        case .unixSocket: "redis+unix://\(secret)\(socketPath)?db=\(database)"
        case .tls: "rediss://\(secret)127.0.0.1:\(port)/\(database)?ssl_ca_certs=\(certificateFile)"
        }
    }

    // MARK: What a test does to it

    /// Freezes the server: its sockets stay open, nothing is read or answered.
    public func pause() { process.withLock { $0?.signal(SIGSTOP) } }

    /// Lets a frozen server go on.
    public func resume() { process.withLock { $0?.signal(SIGCONT) } }

    /// Kills the server (SIGKILL) and waits until it is gone; ``restart()`` brings it back on the same port.
    public func kill() async {
        let running = process.withLock { process in
            defer { process = nil }
            return process
        }
        running?.signal(SIGKILL)
        _ = await running?.ended()
    }

    /// Starts the killed server again, with the same port and configuration, and waits until it answers.
    public func restart() async throws {
        await kill()
        guard try await launch() else {
            throw TestServerError("redis-server did not start again: \(log)")
        }
    }

    /// Ends the server and removes its directory.
    public func stop() async {
        await kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Runs one command with `redis-cli` and returns its output without the last line end: a way to look at the server
    /// that owes nothing to the code under test.
    @discardableResult
    public func cli(_ arguments: String...) async throws -> String {
        try await cli(arguments)
    }

    // MARK: Starting

    private func launch() async throws -> Bool {
        try configurationText.write(toFile: directory + "/redis.conf", atomically: true, encoding: .utf8)
        let running = try Child(Self.program, [directory + "/redis.conf"])
        process.withLock { $0 = running }
        try await eventually("redis-server answers") {
            if running.status != nil { return true }
            return try await self.cli(["PING"]) == "PONG"
        }
        return running.status == nil
    }

    private var configurationText: String {
        var lines = [
            "bind 127.0.0.1", "dir \(directory)", "logfile \(directory)/redis.log", "daemonize no", "save \"\"",
        ]
        switch configuration.transport {
        case .tcp:
            lines.append("port \(port)")
        case .unixSocket:
            lines += ["port 0", "unixsocket \(socketPath)"]
        case .tls(let asksForClientCertificate, _):
            lines += [
                "port 0", "tls-port \(port)", "tls-cert-file \(certificateFile)", "tls-key-file \(keyFile)",
                "tls-ca-cert-file \(certificateFile)", "tls-auth-clients \(asksForClientCertificate ? "yes" : "no")",
            ]
        }
        if let password = configuration.password { lines.append("requirepass \(password)") }
        lines += configuration.isPersistent ? ["appendonly yes", "appendfsync always"] : ["appendonly no"]
        return (lines + configuration.lines).joined(separator: "\n") + "\n"
    }

    /// The same with words in an array.
    public func cli(_ arguments: [String]) async throws -> String {
        var all: [String] = []
        switch configuration.transport {
        case .tcp: all += ["-p", "\(port)"]
        case .unixSocket: all += ["-s", socketPath]
        case .tls:
            // Whatever its certificate is, it has to answer.
            all += [
                "-p", "\(port)", "--tls", "--insecure", "--cacert", certificateFile, "--cert", certificateFile, "--key",
                keyFile,
            ]
        }
        let secret = configuration.password.map { ["REDISCLI_AUTH": $0] } ?? [:]
        return try await Child.output(of: "redis-cli", all + arguments, environment: secret).text
    }

    private func make(_ certificate: Configuration.Certificate) async throws {
        let (request, names) = (directory + "/request.pem", directory + "/names.txt")
        let isOwn = certificate != .ofAnother
        try "subjectAltName=\(isOwn ? "DNS:localhost,IP:127.0.0.1" : "DNS:example.org")\n"
            .write(toFile: names, atomically: true, encoding: .utf8)
        try await openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
            "-keyout", keyFile, "-out", request)
        try await openssl(
            "x509", "-req", "-in", request, "-signkey", keyFile, "-days", certificate == .expired ? "-1" : "2",
            "-extfile", names, "-out", certificateFile)
    }

    private func openssl(_ words: String...) async throws {
        let (status, output) = try await Child.output(of: "openssl", words)
        if status != 0 { throw TestServerError("openssl made no certificate: \(output)") }
    }
}
