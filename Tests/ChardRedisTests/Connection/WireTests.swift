// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import ChardRedis

@Suite("Commands and replies on the wire")
struct WireTests {
    @Test("Commands are length-prefixed words, whatever bytes they hold")
    func format() throws {
        var command = RedisCommand("SET", "key", [0, 13, 10, 255] as [UInt8], 42, 1.5, "", "é")
        command.append(contentsOf: ["x", "y"])
        let bytes = ByteBuffer([command, RedisCommand("PING")])
        let expected =
            Array("*9\r\n$3\r\nSET\r\n$3\r\nkey\r\n$4\r\n".utf8) + [0, 13, 10, 255]
            + Array("\r\n$2\r\n42\r\n$3\r\n1.5\r\n$0\r\n\r\n$2\r\né\r\n$1\r\nx\r\n$1\r\ny\r\n*1\r\n$4\r\nPING\r\n".utf8)
        #expect(Array(bytes.readableBytesView) == expected)
    }

    @Test("Numbers are written as Redis reads them")
    func numbers() throws {
        let command = RedisCommand("ZADD", "z", Int.min, -Double.infinity, 1e21, 0.1)
        let text = String(buffer: ByteBuffer([command]))
        for number in ["-9223372036854775808", "-inf", "1e+21", "0.1"] { #expect(text.contains("\r\n\(number)\r\n")) }
    }

    private static let everything =
        "+OK\r\n+QUEUED\r\n:-7\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n"
        + "*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n-WRONGTYPE no\r\n-ERR bad\r\n"
    private static let described =
        "\"OK\" \"QUEUED\" -7 \"hello\" \"\" null null [] [1 [\"a\" null] !wrongType] !server"

    @Test("Replies are read whatever pieces they come in", arguments: [1, 2, 3, 7, 1000])
    func fragments(size: Int) throws {
        var reader = try ReplyReader()
        var replies: [RESPValue] = []
        var rest = ByteBuffer(string: Self.everything)
        while rest.readableBytes > 0 {
            let slice = rest.readSlice(length: min(size, rest.readableBytes))
            var piece = try #require(slice)
            try reader.feed(from: &piece)
            #expect(piece.readableBytes == 0)
            while let reply = try reader.next() { replies.append(reply) }
        }
        #expect(replies.map(\.shown).joined(separator: " ") == Self.described)
    }

    @Test("A reply of 20 MB is read")
    func large() throws {
        let payload = [UInt8](repeating: 7, count: 20_000_000)
        var bytes = ByteBuffer(string: "$20000000\r\n")
        bytes.writeBytes(payload)
        bytes.writeString("\r\n+OK\r\n")
        var reader = try ReplyReader()
        var replies: [RESPValue] = []
        while bytes.readableBytes > 0 {
            try reader.feed(from: &bytes)
            while let reply = try reader.next() { replies.append(reply) }
        }
        #expect(replies.count == 2)
        #expect(replies.first?.bytes == payload)
    }

    @Test(
        "Bytes that are no reply are an error",
        arguments: ["HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-x\r\n", "\u{15}\u{3}", ":1x\r\n", "$-9\r\n"])
    func noReply(text: String) throws {
        var reader = try ReplyReader()
        var bytes = ByteBuffer(string: text)
        try reader.feed(from: &bytes)
        var code: RedisError.Code?
        do { _ = try reader.next() } catch { code = error.code }
        #expect(code == .protocolError)
    }

    @Test("Nesting deeper than hiredis reads is an error, not a crash")
    func deep() throws {
        var reader = try ReplyReader()
        var bytes = ByteBuffer(string: String(repeating: "*1\r\n", count: 100) + ":1\r\n")
        try reader.feed(from: &bytes)
        var code: RedisError.Code?
        do { _ = try reader.next() } catch { code = error.code }
        #expect(code == .protocolError)
    }

    @Test(
        "Digests are those of SHA-1",
        arguments: [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("return 1", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"),
            (String(repeating: "a", count: 55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
            (String(repeating: "a", count: 56), "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
            (String(repeating: "a", count: 64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
            (String(repeating: "a", count: 1_000), "291e9a6c66994949b57ba5e650361e98fc36b1ba"),
        ])
    func digest(text: String, digest: String) {
        #expect(SHA1.hex(text.utf8) == digest)
    }
}

extension RESPValue {
    /// A short text for a whole reply, to compare many at once.
    var shown: String {
        switch self {
        case .null: "null"
        case .integer(let value): "\(value)"
        case .string(let bytes): "\"\(String(decoding: bytes, as: UTF8.self))\""
        case .array(let elements): "[\(elements.map(\.shown).joined(separator: " "))]"
        case .error(let error): "!\(error.code)"
        }
    }
}
