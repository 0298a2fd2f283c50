// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The shell of a ``ConnectionMachine`` in a channel: it writes batches, reads replies and keeps the one timer.
///
/// It belongs to its channel's event loop, and everything here runs there.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Told once why the connection ended.
    var onClose: ((RedisError) -> Void)?
    private var onPush: ((RESPValue) -> Void)?
    /// Does what a subscribed connection needs for it.
    var onAuthenticate: ((RedisCommand, EventLoopPromise<RESPValue>) -> Void)?
    /// Whose batches other threads may write while nothing is on its way here.
    private var outbox: Outbox?

    private let peer: String
    private var machine: ConnectionMachine
    private var reader: ReplyReader
    private let ping: RedisBatch
    private let maximumReply: Int
    private let count: ConnectionCount
    private var isCounted = false
    /// How much of a reply has come that is not whole yet, a piece more or less.
    private var unread = 0
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var timerDeadline = NIODeadline.distantFuture
    private var closeReason: RedisError?

    init(url: RedisURL, options: RedisOptions, now: NIODeadline) throws(RedisError) {
        peer = url.peer
        machine = ConnectionMachine(
            openUntil: now + TimeAmount(options.connectTimeout), now: now,
            limits: .init(
                read: TimeAmount(options.readTimeout), idle: options.idleTimeout.map { TimeAmount($0) },
                ping: TimeAmount(options.pingTimeout)))
        reader = try ReplyReader()
        ping = RedisBatch([RedisCommand("PING")])
        maximumReply = options.maximumReply ?? .max
        count = options.count
    }

    // MARK: What the owner asks for

    var isClosed: Bool { machine.isClosed }

    /// From now on the outbox's callers may write by themselves, if the bytes of the channel are those of the socket.
    func share(with outbox: Outbox) {
        // Without the timer of an idle connection nobody would notice in time that what they write is never answered.
        guard let context, context.channel.pipeline.isPlain, machine.looksWhileIdle else { return }
        self.outbox = outbox
        try? context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            outbox.attach($0)
        }
        noteQuiet()
    }

    /// Learns what another thread has written: before anything is read, written or judged by the time here.
    func catchUp() {
        guard let written = outbox?.takeWritten() else { return }
        _ = machine.expectReplies(to: written.batch, now: written.at)
        var rest = written.batch.bytes
        rest.moveReaderIndex(forwardBy: written.count)
        if rest.readableBytes > 0, closeReason == nil { context?.writeAndFlush(wrapOutboundOut(rest), promise: nil) }
    }

    private func noteQuiet() {
        if machine.awaitsNothing { outbox?.quiet() }
    }

    /// Writes without flushing; the batch fails at once if the connection has ended, and is dropped if nobody waits.
    func write(_ batch: RedisBatch) {
        if batch.isFinished { return }
        catchUp()
        guard let context, machine.expectReplies(to: batch, now: context.eventLoop.now) else {
            batch.complete(.failure(closeReason ?? closedError))
            return
        }
        context.write(wrapOutboundOut(batch.bytes), promise: nil)
    }

    /// Writes a command whose effect is seen in what is pushed, not in a reply; for subscribed connections.
    func writeUnanswered(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    /// Says anew who this is, with an `AUTH`.
    func authenticate(with command: RedisCommand, _ promise: EventLoopPromise<RESPValue>) {
        if let onAuthenticate { return onAuthenticate(command, promise) }
        let batch = RedisBatch([command])
        batch.whenComplete { promise.completeWith($0.map { $0[0] }.mapError { $0 as any Error }) }
        write(batch)
        flush()
    }

    func flush() {
        context?.flush()
        armTimer()
        // Where nobody waited any more for what was to be written.
        noteQuiet()
    }

    func opened() {
        machine.opened()
        if !isCounted { count.opened() }
        isCounted = true
        armTimer()
    }

    /// From now on whatever comes is given to `onPush`.
    func subscribe(onPush: @escaping (RESPValue) -> Void) {
        machine.subscribe()
        self.onPush = onPush
    }

    /// Closes the connection if it still owes this batch a reply: a blocking command that nobody waits for any more
    /// would hold up, and might give something to, whoever came next.
    func giveUp(_ batch: RedisBatch) {
        catchUp()
        defer { noteQuiet() }
        if machine.isAwaiting(batch) {
            close(
                RedisError(
                    code: .closed, message: "the connection to \(peer) was closed: a blocking command was given up"))
        }
    }

    /// Ends the connection and fails whoever waits.
    func close(_ reason: RedisError) {
        guard !machine.isClosed else { return }
        closeReason = reason
        if isCounted { count.closed() }
        isCounted = false
        catchUp()
        outbox?.detach()
        timer?.cancel()
        timer = nil
        let unanswered = machine.close(reason.code)
        if reason.code == .timedOut { discardUnsent() }
        context?.close(promise: nil)
        for (batch, command) in unanswered { batch.complete(.failure(reason.naming(command))) }
        onClose?(reason)
        onClose = nil
        onPush = nil
        onAuthenticate = nil
    }

    /// Lets the system forget what a silent peer has not taken. It would go on sending for minutes, and a command that was
    /// given up long ago might still be carried out.
    private func discardUnsent() {
        let socket = context?.channel as? any SocketOptionProvider
        _ = socket?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }

    // MARK: What the channel tells

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { armTimer() }
    }

    func channelActive(context: ChannelHandlerContext) {
        armTimer()
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        close(closedError)
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        close(closedError)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure = RedisError(connectionTo: peer, failed: error)
        guard failure.code == .tls, !(error is RedisError) else { return close(failure) }
        // Now or never: the certificate goes with the TLS handler.
        let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
        close(RedisError(handshakeWith: peer, failed: error, certificate: certificate ?? nil))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !machine.isClosed else { return }
        catchUp()
        machine.heard(now: context.eventLoop.now)
        var bytes = unwrapInboundIn(data)
        do throws(RedisError) {
            while bytes.readableBytes > 0 {
                let before = bytes.readableBytes
                try reader.feed(from: &bytes)
                unread += before - bytes.readableBytes
                while let reply = try reader.next() {
                    unread = 0
                    received(reply)
                    if machine.isClosed { return }
                }
                if unread > maximumReply {
                    return close(
                        RedisError(code: .closed, message: "\(peer) sends more than the \(maximumReply) bytes wanted"))
                }
            }
        } catch {
            close(protocolError(error.message))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        armTimer()
        noteQuiet()
        context.fireChannelReadComplete()
    }

    private func received(_ reply: RESPValue) {
        switch machine.received(reply) {
        case .partial:
            break
        case .push(let reply):
            onPush?(reply)
        case .unexpected:
            // What a server says unasked before it hangs up ("max number of clients reached") is the reason.
            close(reply.error ?? protocolError("a reply that was not asked for"))
        case .complete(let batch, let replies):
            finish(batch, replies)
        }
    }

    private func finish(_ batch: RedisBatch, _ replies: [RESPValue]) {
        guard batch.hasScripts, let reload = batch.reloadingScripts(after: replies) else {
            batch.complete(.success(replies))
            // After a failover the name leads elsewhere, and this server closes nothing by itself.
            if replies.contains(where: \.isOfReplica) {
                close(RedisError(code: .readOnly, message: "\(peer) has become a replica, which takes no writes"))
            }
            return
        }
        write(reload)
        flush()
    }

    // MARK: Time

    /// Sets the timer if there is none or the machine wants to be asked earlier. One that rings too early is set anew,
    /// so that replies and batches cost no timer.
    private func armTimer() {
        guard let context, let deadline = machine.deadline, timer == nil || deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerRang() }
    }

    private func timerRang() {
        timer = nil
        guard let context else { return }
        catchUp()
        let now = context.eventLoop.now
        switch machine.timeout(now: now) {
        case .none:
            break
        case .ping:
            machine.pinged(with: ping, now: now)
            context.writeAndFlush(wrapOutboundOut(ping.bytes), promise: nil)
        case .close(let code):
            close(RedisError(code: code, message: "\(peer) has not answered in time"))
        }
        armTimer()
        noteQuiet()
    }

    // MARK: Errors

    private var closedError: RedisError {
        RedisError(code: .closed, message: "the connection to \(peer) was closed")
    }

    private func protocolError(_ detail: String) -> RedisError {
        RedisError(
            code: .protocolError,
            message: "\(peer) does not speak Redis's protocol (\(detail)); check host and port, and that TLS is wanted "
                + "by both sides or by neither")
    }
}

extension RESPValue {
    /// Whether this is how a replica refuses a write.
    fileprivate var isOfReplica: Bool {
        if case .error(let error) = self { error.code == .readOnly } else { false }
    }
}

extension ChannelPipeline {
    /// Whether what is written here goes onto the socket as it is.
    fileprivate var isPlain: Bool {
        (try? syncOperations.handler(type: NIOSSLClientHandler.self)) == nil
    }
}
