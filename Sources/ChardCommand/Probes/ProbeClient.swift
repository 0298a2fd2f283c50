// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Asks one address over plain HTTP, once: a container's health check, where the image has no other program that could.
enum ProbeClient {
    struct Answer: Sendable {
        let status: Int
        let text: String
    }

    /// More than this is no answer to a probe.
    fileprivate static let most = 65_536

    /// Asks, and waits for the whole answer.
    static func get(_ target: ProbeTarget, within patience: Duration) async throws(CommandError) -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let answer = loop.makePromise(of: Answer.self)
        let limit = TimeAmount.nanoseconds(Int64(patience.seconds * 1e9))
        let deadline = loop.scheduleTask(in: limit) { answer.fail(CommandError("no answer within \(patience)")) }
        ClientBootstrap(group: loop)
            .connectTimeout(limit)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(target, answer))
                }
            }
            .connect(host: target.host, port: target.port)
            .whenComplete { connected in
                switch connected {
                case .failure(let error): answer.fail(error)
                case .success(let channel): answer.futureResult.whenComplete { _ in channel.close(promise: nil) }
                }
            }
        defer { deadline.cancel() }
        do {
            return try await answer.futureResult.get()
        } catch let error as CommandError {
            throw CommandError("\(target): \(error)")
        } catch {
            throw CommandError("\(target): \(wording(of: error, target))")
        }
    }

    private static func wording(of error: any Error, _ target: ProbeTarget) -> String {
        guard let error = error as? NIOConnectionError else { return "\(error)" }
        // Of several addresses' failures, the last tried tells most: `localhost` is refused on IPv6, then IPv4.
        guard let failure = error.connectionErrors.last else { return "the host name \(target.host) has no address" }
        guard let cause = failure.error as? IOError else { return "\(failure.error)" }
        guard cause.errnoCode == ECONNREFUSED else { return "it can't be reached (\(cause))" }
        return "nothing listens there; see whether the process runs, and what its --http says"
    }
}

/// Sends the request, and gathers the answer.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let target: ProbeTarget
    private let answer: EventLoopPromise<ProbeClient.Answer>
    private var status = 0
    private var body: [UInt8] = []

    init(_ target: ProbeTarget, _ answer: EventLoopPromise<ProbeClient.Answer>) {
        self.target = target
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: target.path,
            headers: ["Host": "\(target.host):\(target.port)", "Connection": "close"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let part): body += part.readableBytesView.prefix(ProbeClient.most - body.count)
        case .end: answer.succeed(.init(status: status, text: String(decoding: body, as: UTF8.self)))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(CommandError("it closed the connection"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
    }
}
