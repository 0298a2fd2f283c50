// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A primary, a replica, and three sentinels that watch them, all on free loopback ports: they take half a second for a sign
/// that the primary is dead.
public final class SentinelSetup: Sendable {
    /// The two servers; the first was the primary at the start.
    public let servers: [RedisServer]
    private let directory: String
    private let sentinels = Mutex<[(port: Int, process: Child)]>([])

    /// The ports of the sentinels.
    public var ports: [Int] { sentinels.withLock { $0.map(\.port) } }

    /// The URL by which clients find the primary.
    public var url: String {
        "redis+sentinel://" + ports.map { "127.0.0.1:\($0)" }.joined(separator: ",") + "/mymaster/0"
    }

    /// The same, as Celery has it.
    public var celeryURL: String {
        ports.map { "sentinel://127.0.0.1:\($0)" }.joined(separator: ";") + "/0?master_name=mymaster"
    }

    /// Runs a test with a setup of its own, and ends all of it whatever comes of it.
    public static func with<Value>(_ body: (SentinelSetup) async throws -> Value) async throws -> Value {
        let lines = ["repl-diskless-sync-delay 0", "repl-ping-replica-period 1"]
        return try await RedisServer.with(.init(lines: lines)) { primary in
            let replica = RedisServer.Configuration(lines: lines + ["replicaof 127.0.0.1 \(primary.port)"])
            return try await RedisServer.with(replica) { replica in
                let setup = try SentinelSetup([primary, replica])
                do {
                    try await setup.start()
                    let value = try await body(setup)
                    await setup.end()
                    return value
                } catch {
                    await setup.end()
                    throw error
                }
            }
        }
    }

    private init(_ servers: [RedisServer]) throws {
        self.servers = servers
        directory = FileManager.default.temporaryDirectory.path + "/sentinels-\(UInt32.random(in: 0 ... .max))"
    }

    deinit {
        for (_, process) in sentinels.withLock({ $0 }) { process.signal(SIGKILL) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func start() async throws {
        try await replicating()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        while ports.count < 3 { try await startSentinel() }
        try await eventually("the sentinels know each other and the replica") {
            for port in ports {
                let words = try await ask(port, "SENTINEL", "MASTER", "mymaster").split(separator: "\n")
                guard Self.value("num-other-sentinels", in: words) == "2", Self.value("num-slaves", in: words) == "1"
                else { return false }
            }
            return true
        }
    }

    /// Starts one more and waits until it answers; not at all where another program has taken its port in between.
    private func startSentinel() async throws {
        let port = try FreePort.find()
        let file = directory + "/\(port).conf"
        let lines = [
            "bind 127.0.0.1", "port \(port)", "dir \(directory)", "logfile \(directory)/\(port).log",
            "sentinel monitor mymaster 127.0.0.1 \(servers[0].port) 2",
            "sentinel down-after-milliseconds mymaster 500", "sentinel failover-timeout mymaster 2000",
        ]
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let process = try Child(RedisServer.program, [file, "--sentinel"])
        try await eventually("the sentinel answers") {
            if process.status != nil { return true }
            return try await ask(port, "PING") == "PONG"
        }
        if process.status == nil { sentinels.withLock { $0.append((port, process)) } }
    }

    private func end() async {
        for (_, process) in sentinels.withLock({ $0 }) {
            process.signal(SIGKILL)
            _ = await process.ended()
        }
    }

    private static func value(_ name: String, in words: [Substring]) -> Substring? {
        words.firstIndex { $0 == name }.flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
    }

    private func ask(_ port: Int, _ words: String...) async throws -> String {
        try await Child.output(of: "redis-cli", ["-p", "\(port)"] + words).text
    }

    /// The port of the server that the sentinels name; nil if they do not agree.
    public func named() async throws -> Int? {
        var named: Set<Int?> = []
        for port in ports {
            let words = try await ask(port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster").split(separator: "\n")
            named.insert(words.count == 2 ? Int(words[1]) : nil)
        }
        return named.count == 1 ? named.first ?? nil : nil
    }

    /// The server that the sentinels agree on, and the other one.
    public func roles() async throws -> (primary: RedisServer, replica: RedisServer) {
        var port: Int?
        try await eventually("the sentinels name one server") {
            port = try await named()
            return port != nil
        }
        return port == servers[0].port ? (servers[0], servers[1]) : (servers[1], servers[0])
    }

    /// Waits until the server that is not the primary is its replica again, and has all of its data.
    public func replicating(within limit: Duration = .seconds(40)) async throws {
        try await eventually("the replica has all data", within: limit) {
            for (server, other) in [(servers[0], servers[1]), (servers[1], servers[0])] {
                let words = try await server.cli("ROLE").split(separator: "\n")
                guard words.count > 3, words[0] == "slave" else { continue }
                return words[2] == "\(other.port)" && words[3] == "connected"
            }
            return false
        }
    }

    /// Has the replica take the primary's place, which lives on.
    public func switchOver() async throws {
        try await eventually("the sentinels switch over") {
            try await ask(ports[0], "SENTINEL", "FAILOVER", "mymaster") == "OK"
        }
    }

    /// Starts a server that was killed, as a replica of the other one.
    public func restart(_ server: RedisServer) async throws {
        try await server.restart()
        let other = server === servers[0] ? servers[1] : servers[0]
        try await server.cli("REPLICAOF", "127.0.0.1", "\(other.port)")
    }
}
