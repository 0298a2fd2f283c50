// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import NIOCore
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Credentials that the program gives", .timeLimit(.minutes(1)))
struct CredentialTests {
    private struct NoToken: Error {}

    /// The server's numbers of this program's connections, by user.
    private func connections(to server: RedisServer) async throws -> [String: Set<Substring>] {
        var ids: [String: Set<Substring>] = [:]
        for line in try await server.cli("CLIENT", "LIST").split(separator: "\n") where line.contains(" name=chard ") {
            let words = line.split(separator: " ")
            let user = words.first { $0.hasPrefix("user=") }.map { String($0.dropFirst(5)) }
            ids[user ?? "", default: []].insert(words[0])
        }
        return ids
    }

    @Test("Living connections authenticate anew before they lapse, subscribed ones too, and none is cut")
    func renewed() async throws {
        try await RedisServer.with { server in
            for name in ["first", "second"] {
                try await server.cli("ACL", "SETUSER", name, "on", ">\(name)-s3cret", "+@all", "~*", "&*")
            }
            let next = Mutex("first")
            let broker = RedisBroker(
                try RedisURL(server.url),
                credentials: {
                    let name = next.withLock { $0 }
                    return RedisCredentials(
                        username: name, password: "\(name)-s3cret",
                        lapse: name == "first" ? Date(timeIntervalSinceNow: 2) : nil)
                })
            try await broker.connect()
            let heard = Mutex(0)
            let news = try await broker.server.subscriber.subscribe(to: "news") { _ in heard.withLock { $0 += 1 } }
            let before = try await connections(to: server)
            #expect(before["first"]?.count == 2 && before.count == 1)
            next.withLock { $0 = "second" }
            try await eventually("all are the second user's") { try await connections(to: server)["first"] == nil }
            #expect(try await connections(to: server) == ["second": before["first"] ?? []])
            // Ends whatever is still the first user's.
            try await server.cli("ACL", "DELUSER", "first")
            try await server.cli("PUBLISH", "news", "x")
            try await eventually("the news are heard") { heard.withLock { $0 } == 1 }
            #expect(try await broker.client.send(RedisCommand("ACL", "WHOAMI")).text == "second")
            #expect(try await connections(to: server) == ["second": before["first"] ?? []])
            news.cancel()
            await broker.shutdown()
        }
    }

    @Test("Without any the server counts as one that cannot be reached, until there are some")
    func missing() async throws {
        try await RedisServer.with(.init(password: "r1ght")) { server in
            let isThere = Mutex(false)
            let broker = RedisBroker(
                try RedisURL("redis://:wr0ng@127.0.0.1:\(server.port)"),
                credentials: {
                    guard isThere.withLock({ $0 }) else { throw NoToken() }
                    return RedisCredentials(password: "r1ght")
                })
            let error = try await #require(throws: BrokerError.self) { try await broker.connect() }
            #expect(error.code == .unavailable && error.isRetryable)
            #expect(error.message.contains("has no credentials") && error.message.contains("NoToken"))
            let later = Task { try await broker.client.send(RedisCommand("PING")).text }
            isThere.withLock { $0 = true }
            #expect(try await later.value == "PONG")
            await broker.shutdown()
        }
    }

    @Test("No description shows the password")
    func hidden() {
        let credentials = RedisCredentials(username: "whoami", password: "s3cret", lapse: Date())
        var dumped = ""
        dump(credentials, to: &dumped)
        #expect(!"\(credentials)\(String(reflecting: credentials))\(dumped)".contains("s3cret"))
    }

    @Test("New ones are asked for a minute before the old ones lapse, or after four fifths of a short time")
    func delay() {
        let now = Date(timeIntervalSince1970: 1_000)
        for (left, seconds) in [(900.0, 840.0), (300, 240), (100, 80), (10, 8), (1, 1), (-5, 1)] {
            let delay = CredentialRenewal.delay(before: now.addingTimeInterval(left), now: now)
            #expect(delay == .milliseconds(Int64(seconds * 1_000)))
        }
    }
}
