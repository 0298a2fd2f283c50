// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where any thread leaves batches for a client's event loop; or writes one itself, where it would be the only one on its way.
///
/// Waking the event loop costs a caller who waits for one answer after the other a third of the time. So while the
/// connection is *quiet*, nothing being on its way and nothing waiting to be, the caller's thread writes to the socket. All
/// others leave theirs in the box, where many share one wake-up and one flush. The lock makes sure that a batch is either
/// written whole before the event loop writes, or by the event loop.
final class Outbox: Sendable {
    /// What a caller's thread has written, as the event loop has to learn before it reads or writes.
    struct Written: Sendable {
        let batch: RedisBatch
        let at: NIODeadline
        /// How many bytes; the rest is the event loop's to write.
        let count: Int
    }

    private struct State {
        var items: [RedisBatch] = []
        /// The connection's socket, by a descriptor of our own: none while there is no connection, or it has TLS.
        var socket: CInt?
        var isQuiet = false
        var written: Written?
    }

    /// What is larger has better use for the event loop's thread than for the lock.
    private static let mostWritten = 16_384

    private let state = Mutex(State())

    deinit {
        detach()
    }

    /// Sends a batch or leaves it; true if the event loop has to be told.
    func leave(_ batch: RedisBatch, mayWrite: Bool) -> Bool {
        state.withLock { state in
            // Nobody waits for it any more: whoever was told that it was cancelled must not find it done.
            guard !batch.isFinished else { return false }
            guard mayWrite, state.isQuiet, let socket = state.socket, batch.bytes.readableBytes <= Self.mostWritten
            else {
                state.items.append(batch)
                state.isQuiet = false
                return state.items.count == 1
            }
            state.isQuiet = false
            let count = batch.bytes.withUnsafeReadableBytes { Self.write($0, to: socket) }
            state.written = Written(batch: batch, at: .now(), count: count)
            return count < batch.bytes.readableBytes
        }
    }

    // MARK: For the event loop

    /// Takes everything that was left, in the order of arrival.
    func empty() -> [RedisBatch] {
        state.withLock { state in
            defer { state.items = [] }
            return state.items
        }
    }

    /// What was written since the last call. Until ``quiet()`` nobody else writes.
    func takeWritten() -> Written? {
        state.withLock { state in
            state.isQuiet = false
            return state.written.take()
        }
    }

    /// Nothing is on its way on the connection any more.
    func quiet() {
        state.withLock { $0.isQuiet = $0.items.isEmpty && $0.written == nil }
    }

    /// A connection stands from now on, over this socket; it stays the caller's.
    func attach(_ socket: CInt) {
        let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        state.withLock { $0.socket = copy >= 0 ? copy : nil }
    }

    /// The connection has ended.
    func detach() {
        state.withLock { state in
            state.isQuiet = false
            if let socket = state.socket.take() { close(socket) }
        }
    }

    /// How many bytes the socket has taken. What is wrong with it the event loop will learn by itself.
    private static func write(_ bytes: UnsafeRawBufferPointer, to socket: CInt) -> Int {
        #if canImport(Darwin)
        // NIO's sockets raise no SIGPIPE there.
        let flags = MSG_DONTWAIT
        #else
        let flags: CInt = numericCast(MSG_DONTWAIT) | numericCast(MSG_NOSIGNAL)
        #endif
        return max(0, send(socket, bytes.baseAddress, bytes.count, flags))
    }
}
