// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import Testing

@testable import ChardRedis

@Suite("A caller's thread writes by itself while nothing else is on its way")
struct OutboxTests {
    private let outbox = Outbox()
    private let near: CInt
    private let far: CInt

    init() {
        var pair: [CInt] = [0, 0]
        #if canImport(Darwin)
        socketpair(AF_UNIX, SOCK_STREAM, 0, &pair)
        #else
        socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair)
        #endif
        (near, far) = (pair[0], pair[1])
    }

    private func batch(_ text: String) throws -> RedisBatch { RedisBatch([RedisCommand("ECHO", text)]) }

    /// What has come out at the other end.
    private func arrived() -> String {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = recv(far, &bytes, bytes.count, numericCast(MSG_DONTWAIT))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("one batch, until the event loop says that all is quiet again")
    func one() throws {
        outbox.attach(near)
        defer { outbox.detach() }
        let (first, second) = (try batch("first"), try batch("second"))
        #expect(outbox.leave(first, mayWrite: true), "not before the event loop has allowed it")
        #expect(outbox.empty().map { $0 === first } == [true])
        outbox.quiet()
        #expect(!outbox.leave(first, mayWrite: true))
        #expect(arrived() == "*2\r\n$4\r\nECHO\r\n$5\r\nfirst\r\n")
        #expect(outbox.leave(second, mayWrite: true), "something is on its way")
        #expect(arrived().isEmpty)
        outbox.quiet()
        let written = outbox.takeWritten()
        #expect(written?.batch === first && written?.count == first.bytes.readableBytes)
        #expect(outbox.takeWritten() == nil)
        outbox.quiet()
        #expect(!outbox.leave(first, mayWrite: true), "something is left in the box, and somebody was told")
        #expect(outbox.empty().count == 2 && arrived().isEmpty)
        outbox.quiet()
        #expect(outbox.leave(first, mayWrite: false), "who may not write leaves it")
        #expect(arrived().isEmpty)
    }

    @Test("nothing while the event loop writes, nothing large, and nothing where there is no connection")
    func none() throws {
        outbox.quiet()
        #expect(outbox.leave(try batch("x"), mayWrite: true))
        _ = outbox.empty()
        outbox.attach(near)
        outbox.quiet()
        #expect(outbox.leave(try batch(String(repeating: "x", count: 20_000)), mayWrite: true))
        _ = outbox.empty()
        outbox.quiet()
        #expect(outbox.takeWritten() == nil)
        #expect(outbox.leave(try batch("x"), mayWrite: true))
        _ = outbox.empty()
        outbox.quiet()
        outbox.detach()
        #expect(outbox.leave(try batch("x"), mayWrite: true))
        #expect(arrived().isEmpty)
    }

    @Test("what is cancelled already is not sent, and nothing overtakes what was left")
    func finished() throws {
        outbox.attach(near)
        defer { outbox.detach() }
        outbox.quiet()
        let cancelled = try batch("x")
        cancelled.complete(.failure(.cancelled()))
        #expect(!outbox.leave(cancelled, mayWrite: true))
        #expect(arrived().isEmpty && outbox.empty().isEmpty)
        #expect(outbox.leave(try batch("left"), mayWrite: false))
        #expect(!outbox.leave(try batch("later"), mayWrite: true))
        #expect(arrived().isEmpty && outbox.empty().count == 2)
    }

    @Test("what the socket does not take whole is the event loop's to end")
    func full() throws {
        var size: CInt = 4_096
        setsockopt(near, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        outbox.attach(near)
        defer { outbox.detach() }
        let piece = try batch(String(repeating: "x", count: 15_000))
        var isFull = false
        for _ in 0..<100 where !isFull {
            outbox.quiet()
            isFull = outbox.leave(piece, mayWrite: true)
            let written = outbox.takeWritten()
            #expect(written?.batch === piece)
            #expect((written.map { $0.count < piece.bytes.readableBytes } ?? false) == isFull)
        }
        #expect(isFull)
    }

    @Test("what a closed socket refuses is the event loop's, and raises no signal")
    func closed() throws {
        outbox.attach(near)
        defer { outbox.detach() }
        close(far)
        outbox.quiet()
        #expect(outbox.leave(try batch("x"), mayWrite: true))
        #expect(outbox.takeWritten()?.count == 0)
    }
}
