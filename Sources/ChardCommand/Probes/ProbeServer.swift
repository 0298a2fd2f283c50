// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers probes in plain HTTP, on a thread of its own: bodies that keep Swift's pool busy do not keep it from that.
final class ProbeServer: Sendable {
    /// Where it listens; the port is the system's choice where 0 was asked for.
    let address: String
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup

    /// Listens from now on.
    /// - Throws: ``CommandError`` where the address is not to be had.
    init(at address: ProbeAddress, _ source: any ProbeSource) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let executor = QueueExecutor("chard.probes")
        do {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 64)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        // Whoever says nothing, or not enough, is not listened to for long.
                        try pipeline.addHandler(IdleStateHandler(readTimeout: .seconds(90)))
                        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                        try pipeline.addHandler(ProbeHandler(source, executor))
                    }
                }
                .bind(host: address.host, port: address.port).get()
        } catch {
            try? await group.shutdownGracefully()
            throw CommandError("--http \(address): nobody can listen there: \(error)")
        }
        self.group = group
        self.address =
            channel.localAddress.flatMap { local in
                local.port.flatMap { ProbeAddress("\(address.description.dropLast("\(address.port)".count))\($0)") }
            }.map(\.description) ?? address.description
    }

    /// Begins to close.
    func stop() {
        Task { await close() }
    }

    func close() async {
        try? await channel.close()
        try? await group.shutdownGracefully()
    }
}

/// Reads one request after the other of a connection, and writes the answers.
private final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let source: any ProbeSource
    private let executor: QueueExecutor
    private var head: HTTPRequestHead?

    init(_ source: any ProbeSource, _ executor: QueueExecutor) {
        self.source = source
        self.executor = executor
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            Self.answer(head, on: context.channel, by: source, executor)
        }
    }

    private static func answer(
        _ head: HTTPRequestHead, on channel: any Channel, by source: any ProbeSource, _ executor: QueueExecutor
    ) {
        Task(executorPreference: executor) {
            let answer = await ProbeAnswer(to: head.method.rawValue, head.uri, by: source)
            write(answer, to: head, on: channel)
        }
    }

    private static func write(_ answer: ProbeAnswer, to request: HTTPRequestHead, on channel: any Channel) {
        let body = ByteBuffer(string: answer.text)
        var head = HTTPResponseHead(
            version: request.version, status: HTTPResponseStatus(statusCode: answer.status),
            headers: [
                "Content-Type": answer.type, "Content-Length": "\(body.readableBytes)", "Cache-Control": "no-store",
            ])
        if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        if request.method != .HEAD {
            channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
        }
        let written = channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        if !request.isKeepAlive { written.whenComplete { _ in channel.close(promise: nil) } }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
