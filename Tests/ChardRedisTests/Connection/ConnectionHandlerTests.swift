// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import ChardRedis

@Suite("A connection over scripted bytes")
struct ConnectionHandlerTests {
    private let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private let handler: ConnectionHandler

    init() throws {
        handler = try ConnectionHandler(
            url: RedisURL("redis://server:7000"), options: RedisOptions(), now: loop.now)
        channel = EmbeddedChannel(handler: handler, loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 7000)).wait()
        handler.opened()
    }

    /// Sends commands; the outcome is there once the replies are.
    private func send(_ commands: RedisCommand..., blockFor: Duration? = nil) throws -> (RedisBatch, Outcome) {
        let batch = RedisBatch(commands, blockFor: blockFor)
        let outcome = Outcome()
        batch.whenComplete { result in outcome.value.withLock { $0 = result } }
        handler.write(batch)
        handler.flush()
        return (batch, outcome)
    }

    private func written() throws -> String {
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }

    private func receive(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    @Test("Replies that come byte by byte complete their batches")
    func byteByByte() throws {
        let (_, first) = try send(RedisCommand("GET", "a"), RedisCommand("GET", "b"))
        let (_, second) = try send(RedisCommand("PING"))
        #expect(try written().hasSuffix("*1\r\n$4\r\nPING\r\n"))
        for character in "$1\r\nx\r\n$-1\r\n+PONG\r\n".unicodeScalars { try receive(String(character)) }
        #expect(first.shown == "\"x\" null")
        #expect(second.shown == "\"PONG\"")
    }

    @Test("What is not Redis's protocol closes the connection, and the error says so")
    func notRedis() throws {
        let (_, outcome) = try send(RedisCommand("PING"))
        try receive("HTTP/1.1 400 Bad Request\r\n")
        #expect(outcome.error?.code == .protocolError)
        #expect(outcome.error?.message.contains("server:7000 does not speak Redis's protocol") == true)
        #expect(!channel.isActive)
    }

    @Test("A reply that nobody asked for closes the connection; an error among them is the reason")
    func unasked() throws {
        let reason = Mutex<RedisError?>(nil)
        handler.onClose = { error in reason.withLock { $0 = error } }
        try receive("-ERR max number of clients reached\r\n")
        #expect(reason.withLock { $0?.code } == .tooManyClients)
        #expect(!channel.isActive)
    }

    @Test("Silence closes the connection at the read deadline, and fails whoever waits")
    func silence() throws {
        let (_, outcome) = try send(RedisCommand("GET", "a"))
        loop.advanceTime(by: .milliseconds(7_999))
        #expect(outcome.error == nil)
        loop.advanceTime(by: .milliseconds(1))
        #expect(outcome.error?.code == .timedOut)
        #expect(outcome.error?.key == "a")
        #expect(!channel.isActive)
    }

    @Test("A quiet connection is pinged; a reply keeps it, silence ends it within ten seconds")
    func idle() throws {
        loop.advanceTime(by: .seconds(6))
        #expect(try written() == "*1\r\n$4\r\nPING\r\n")
        try receive("+PONG\r\n")
        loop.advanceTime(by: .seconds(6))
        #expect(try written() == "*1\r\n$4\r\nPING\r\n")
        loop.advanceTime(by: .seconds(4))
        #expect(!channel.isActive)
    }

    @Test("Whoever gives up a plain command leaves the connection in order for the next")
    func cancelled() throws {
        let (first, _) = try send(RedisCommand("GET", "a"))
        let (_, second) = try send(RedisCommand("GET", "b"))
        first.complete(.failure(.cancelled()))
        try receive("$1\r\na\r\n$1\r\nb\r\n")
        #expect(second.shown == "\"b\"")
        #expect(channel.isActive)
    }

    @Test("A blocking command that is given up closes the connection; an answered one does not")
    func givenUp() throws {
        let (answered, _) = try send(RedisCommand("BLPOP", "a", 1), blockFor: .seconds(1))
        try receive("*-1\r\n")
        handler.giveUp(answered)
        #expect(channel.isActive)
        let (waiting, outcome) = try send(RedisCommand("BLPOP", "a", 1), blockFor: .seconds(1))
        let (_, neighbour) = try send(RedisCommand("GET", "b"))
        handler.giveUp(waiting)
        #expect(!channel.isActive)
        #expect(outcome.error?.code == .closed)
        #expect(neighbour.error?.code == .closed)
    }

    @Test("Commands for a closed connection fail with the reason of its end")
    func afterClose() throws {
        try receive("nonsense\r\n")
        let (_, outcome) = try send(RedisCommand("GET", "a"))
        #expect(outcome.error?.code == .protocolError)
    }

    @Test("A script that the server does not know is loaded once, and only what failed is repeated")
    func script() throws {
        let script = RedisScript("return 1")
        let (_, outcome) = try send(
            script.command(keys: ["a"]), RedisCommand("PING"), script.command(keys: ["b"]))
        _ = try written()
        try receive("-NOSCRIPT No matching script.\r\n+PONG\r\n-NOSCRIPT No matching script.\r\n")
        #expect(outcome.shown == nil)
        let repeated = try written()
        #expect(repeated.components(of: "LOAD") == 1)
        #expect(repeated.components(of: "EVALSHA") == 2)
        #expect(repeated.components(of: "PING") == 0)
        try receive("$40\r\n\(script.digest)\r\n:1\r\n:2\r\n")
        #expect(outcome.shown == "1 \"PONG\" 2")
    }

    @Test("A script that cannot be loaded is sent with its command, once: no loop")
    func stubbornScript() throws {
        let (_, outcome) = try send(RedisScript("return 1").command(keys: ["a"], "b"))
        try receive("-NOSCRIPT No matching script.\r\n")
        _ = try written()
        try receive("-NOPERM no\r\n-NOSCRIPT No matching script.\r\n")
        #expect(try written() == "*5\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\nb\r\n")
        try receive("-NOSCRIPT No matching script.\r\n")
        #expect(outcome.shown == "!noScript")
        #expect(try written().isEmpty)
    }

    @Test("A server without EVALSHA is sent the script itself")
    func noDigests() throws {
        let (_, outcome) = try send(RedisScript("return 1").command(keys: []))
        _ = try written()
        try receive("-ERR unknown command 'EVALSHA'\r\n")
        #expect(try written() == "*3\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n")
        try receive(":1\r\n")
        #expect(outcome.shown == "1")
    }
}

/// What a batch came to, once it did.
private final class Outcome: Sendable {
    let value = Mutex<Result<[RESPValue], RedisError>?>(nil)

    var shown: String? { try? value.withLock { $0 }?.get().map(\.shown).joined(separator: " ") }

    var error: RedisError? {
        if case .failure(let error) = value.withLock({ $0 }) { error } else { nil }
    }
}

extension String {
    fileprivate func components(of word: String) -> Int { ranges(of: word).count }
}
