// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// Finds out about a server with which a usual connection has come to nothing, by what it says in plain.
enum PlainProbe {
    /// Whether a server that says nothing to a TLS handshake speaks Redis without: such a server waits for the end of what it
    /// takes for a command's line, and so does one that is deaf. Asks for a sign of life, which tells no secret.
    static func isPlainRedis(
        at address: RedisURL.Address, on eventLoop: any EventLoop, within timeout: TimeAmount
    ) -> EventLoopFuture<Bool> {
        // PONG, or an error such as that a password is wanted.
        words(at: address, on: eventLoop, within: timeout, asking: "PING\r\n").map {
            $0?.first == "+" || $0?.first == "-"
        }
    }

    /// Why a server hangs up at once, where it says so. What it says is lost where something is written to it before it is
    /// read, so this only listens.
    static func farewell(
        of address: RedisURL.Address, on eventLoop: any EventLoop, within timeout: TimeAmount
    ) -> EventLoopFuture<RedisError?> {
        words(at: address, on: eventLoop, within: timeout, asking: nil).map { words in
            guard let line = words?.split(separator: "\r\n").first, line.first == "-" else { return nil }
            return RedisError(reply: String(line.dropFirst()))
        }
    }

    /// What a server says first. Whatever goes wrong is no word.
    private static func words(
        at address: RedisURL.Address, on eventLoop: any EventLoop, within timeout: TimeAmount, asking question: String?
    ) -> EventLoopFuture<String?> {
        let promise = eventLoop.makePromise(of: String?.self)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Listener(promise))
                }
            }
        let connected =
            switch address {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        connected.whenComplete { result in
            guard case .success(let channel) = result else { return promise.succeed(nil) }
            channel.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
            if let question { channel.writeAndFlush(ByteBuffer(string: question), promise: nil) }
        }
        return promise.futureResult
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private var promise: EventLoopPromise<String?>?

        init(_ promise: EventLoopPromise<String?>) {
            self.promise = promise
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            answer(String(buffer: unwrapInboundIn(data)))
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { answer(nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func answer(_ words: String?) {
            promise?.succeed(words)
            promise = nil
        }
    }
}
