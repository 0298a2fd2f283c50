// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// A TCP server on a free loopback port that answers every piece it reads with the same bytes, whatever was asked, or each
/// command as it is told.
final class ScriptedServer: Sendable {
    enum Behaviour: Sendable {
        case answer(String)
        /// Takes a command's words, and gives the reply as it travels.
        case answerEach(@Sendable ([String]) -> String)
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
            let answer: String
            switch behaviour {
            case .answer(let text): answer = text
            case .answerEach(let reply):
                answer = Self.commands(in: String(buffer: unwrapInboundIn(data))).map(reply).joined()
            case .stayCalm, .hangUp: return
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }

        /// Every command of the tests comes in one piece.
        private static func commands(in text: String) -> [[String]] {
            var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
            var commands: [[String]] = []
            while let count = lines.popFirst()?.dropFirst(), let count = Int(count) {
                commands.append(
                    (0..<count).map { _ in
                        _ = lines.popFirst()
                        return String(lines.popFirst() ?? "")
                    })
            }
            return commands
        }
    }
}
