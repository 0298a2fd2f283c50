// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Subscriptions")
struct SubscriberTests {
    /// What listeners were told, in its order.
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func note(_ line: String) { lines.withLock { $0.append(line) } }
        func note(_ name: String, _ payload: [UInt8]) { note(name + " " + String(decoding: payload, as: UTF8.self)) }
    }

    private func impatient() -> RedisOptions {
        var options = RedisOptions()
        options.idleTimeout = .milliseconds(200)
        options.pingTimeout = .seconds(1)
        return options
    }

    @Test("Nothing published after the confirmation is missed, and listeners of one channel share it")
    func sharing() async throws {
        try await RedisServer.with { server in
            let subscriber = try RedisSubscriber(url: RedisURL(server.url))
            let log = Log()
            let first = try await subscriber.subscribe(to: "news", onMessage: { log.note("first", $0) })
            #expect(try await server.cli("PUBLISH", "news", "1") == "1")
            try await eventually("the first message came") { log.all == ["first 1"] }
            let second = try await subscriber.subscribe(to: "news", onMessage: { log.note("second", $0) })
            #expect(try await server.cli("PUBLISH", "news", "2") == "1")
            try await eventually("three messages came") { log.all.count == 3 }
            first.cancel()
            try await eventually("only the second hears") {
                try await server.cli("PUBLISH", "news", "x") == "1" && log.all.last == "second x"
            }
            second.cancel()
            try await eventually("nobody is subscribed") { try await server.cli("PUBSUB", "CHANNELS").isEmpty }
            await subscriber.close()
        }
    }

    @Test("A subscription that nobody holds any more ends")
    func dropped() async throws {
        try await RedisServer.with { server in
            let subscriber = try RedisSubscriber(url: RedisURL(server.url))
            var subscription: RedisSubscription? = try await subscriber.subscribe(to: "news", onMessage: { _ in })
            #expect(subscription != nil)
            subscription = nil
            try await eventually("nobody is subscribed") { try await server.cli("PUBSUB", "CHANNELS").isEmpty }
            await subscriber.close()
        }
    }

    @Test("A subscriber may be dropped while messages pour in")
    func droppedInUse() async throws {
        try await RedisServer.with { server in
            for _ in 0..<20 {
                var subscriber: RedisSubscriber? = try RedisSubscriber(url: RedisURL(server.url))
                var subscription = try await subscriber?.subscribe(to: "news", onMessage: { _ in })
                #expect(subscription != nil)
                async let published = server.cli("EVAL", "for i = 1, 2000 do redis.call('PUBLISH', 'news', i) end", "0")
                subscriber = nil
                subscription = nil
                _ = try await published
            }
            try await eventually("the server sees them go") {
                try await server.cli("CLIENT", "LIST").split(separator: "\n").count == 1
            }
        }
    }

    @Test("After a lost connection everything is subscribed again, and listeners are told")
    func reconnect() async throws {
        try await RedisServer.with { server in
            let subscriber = try RedisSubscriber(url: RedisURL(server.url))
            let log = Log()
            let subscription = try await subscriber.subscribe(
                to: "news", onMessage: { log.note("heard", $0) }, onResubscribed: { log.note("back") })
            try await server.restart()
            try await eventually("the return is told") { log.all == ["back"] }
            #expect(try await server.cli("PUBLISH", "news", "1") == "1")
            try await eventually("messages come again") { log.all.last == "heard 1" }
            subscription.cancel()
            await subscriber.close()
        }
    }

    @Test("A frozen server is noticed by a subscriber to which nothing is published")
    func frozen() async throws {
        try await RedisServer.with { server in
            let log = Log()
            var options = impatient()
            options.logger = Logger(label: "test") { _ in LogLines { log.note($0) } }
            let subscriber = try RedisSubscriber(url: RedisURL(server.url), options: options)
            let subscription = try await subscriber.subscribe(
                to: "news", onMessage: { _ in }, onResubscribed: { log.note("back") })
            server.pause()
            try await eventually("the loss is noticed") { log.all.contains("No connection to Redis") }
            server.resume()
            try await eventually("the return is told") { log.all.last == "back" }
            subscription.cancel()
            await subscriber.close()
        }
    }

    @Test("A quiet subscriber stays connected: its signs of life are answered")
    func quiet() async throws {
        try await RedisServer.with { server in
            var options = RedisOptions()
            options.idleTimeout = .milliseconds(20)
            let subscriber = try RedisSubscriber(url: RedisURL(server.url), options: options)
            let log = Log()
            let subscription = try await subscriber.subscribe(
                to: "news", onMessage: { log.note("heard", $0) }, onResubscribed: { log.note("back") })
            try await eventually("many signs of life were given") {
                let stats = try await server.cli("INFO", "commandstats")
                guard let calls = stats.firstMatch(of: /cmdstat_ping:calls=(\d+)/)?.1 else { return false }
                return Int(calls) ?? 0 > 10
            }
            try await server.cli("PUBLISH", "news", "1")
            try await eventually("the message came") { !log.all.isEmpty }
            #expect(log.all == ["heard 1"])
            subscription.cancel()
            await subscriber.close()
        }
    }

    @Test("Thousands of channels are subscribed, lost and subscribed again")
    func thousands() async throws {
        try await RedisServer.with { server in
            let subscriber = try RedisSubscriber(url: RedisURL(server.url))
            let log = Log()
            let subscriptions = try await withThrowingTaskGroup(of: RedisSubscription.self) { group in
                for number in 0..<3000 {
                    group.addTask {
                        try await subscriber.subscribe(
                            to: "channel-\(number)", onMessage: { _ in }, onResubscribed: { log.note("back") })
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(try await server.cli("PUBSUB", "SHARDNUMSUB").isEmpty)
            #expect(try await server.cli("INFO", "stats").contains("pubsub_channels:3000"))
            try await server.restart()
            try await eventually("all are back") { log.all.count == 3000 }
            #expect(try await server.cli("INFO", "stats").contains("pubsub_channels:3000"))
            for subscription in subscriptions { subscription.cancel() }
            try await eventually("all are gone") {
                try await server.cli("INFO", "stats").contains("pubsub_channels:0")
            }
            await subscriber.close()
        }
    }

    @Test("A subscription without a server ends at its deadline, with the reason")
    func noServer() async throws {
        var options = RedisOptions()
        options.commandTimeout = .seconds(1)
        let subscriber = try RedisSubscriber(
            url: RedisURL("redis://127.0.0.1:1"), options: options)
        let error = try await #require(throws: RedisError.self) {
            _ = try await subscriber.subscribe(to: "news", onMessage: { _ in })
        }
        #expect(error.code == .timedOut)
        #expect((error.underlying as? RedisError)?.code == .connectionRefused)
        await subscriber.close()
    }

    @Test("A channel that the user may not read is refused")
    func forbidden() async throws {
        let line = "user listener on >s3cret ~* +@all resetchannels &open"
        try await RedisServer.with(.init(lines: [line])) { server in
            let subscriber = RedisSubscriber(url: try RedisURL("redis://listener:s3cret@127.0.0.1:\(server.port)"))
            let error = try await #require(throws: RedisError.self) {
                _ = try await subscriber.subscribe(to: "secret", onMessage: { _ in })
            }
            #expect(error.code == .noPermission)
            let log = Log()
            let open = try await subscriber.subscribe(to: "open", onMessage: { log.note("open", $0) })
            try await server.cli("PUBLISH", "open", "1")
            try await eventually("the open channel is heard") { log.all == ["open 1"] }
            open.cancel()
            await subscriber.close()
        }
    }
}

/// Gives each line that is logged to `note`.
private struct LogLines: LogHandler {
    let note: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(_ note: @escaping @Sendable (String) -> Void) {
        self.note = note
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        note("\(event.message)")
    }
}
