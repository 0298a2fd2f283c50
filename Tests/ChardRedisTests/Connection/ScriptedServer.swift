// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// A TCP server on a free loopback port that answers every piece it reads with the same bytes, whatever was asked.
final class ScriptedServer: Sendable {
    enum Behaviour: Sendable {
        case answer(String)
        case stayCalm
        case hangUp
    }

    private let channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }

    private init(_ channel: any Channel) {
        self.channel = channel
    }

    static func with<Value>(_ behaviour: Behaviour, _ body: (ScriptedServer) async throws -> Value) async throws
        -> Value
    {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(behaviour: behaviour))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let value: Value
        do {
            value = try await body(ScriptedServer(channel))
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
        return value
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let behaviour: Behaviour

        init(behaviour: Behaviour) {
            self.behaviour = behaviour
        }

        func channelActive(context: ChannelHandlerContext) {
            if case .hangUp = behaviour { context.close(promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .answer(let text) = behaviour {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            }
        }
    }
}
