// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// What a server has answered.
struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    var body: [UInt8] = []
}

/// One request and its answer, over a connection of its own.
final class HTTPExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<HTTPAnswer>
    private let limit: Int
    private let address: HTTPAddress
    private let place: String
    private var answer: HTTPAnswer?

    private init(_ promise: EventLoopPromise<HTTPAnswer>, atMost limit: Int, _ address: HTTPAddress) {
        self.promise = promise
        self.limit = limit
        self.address = address
        place = address.description
    }

    /// Asks a server. All there is to go wrong comes as a ``FileError``.
    static func perform(
        _ head: HTTPRequestHead, _ body: [UInt8]?, at address: HTTPAddress, _ tls: TLSTrust?, atMost limit: Int,
        within timeout: TimeAmount
    ) async throws -> HTTPAnswer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: HTTPAnswer.self)
        let place = address.description
        let timer = loop.scheduleTask(in: timeout) {
            promise.fail(
                FileError(.unavailable, "\(place) did not answer within \(timeout.nanoseconds / 1_000_000_000) s"))
        }
        let connecting = ClientBootstrap(group: loop).connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(tls.handler(for: address.host)) }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(HTTPExchange(promise, atMost: limit, address))
                }
            }
            .connect(host: address.host, port: address.port)
        connecting.whenComplete { result in
            switch result {
            case .failure(let error): promise.fail(FileError(.unavailable, "\(place) cannot be reached: \(error)"))
            case .success(let channel):
                channel.write(HTTPClientRequestPart.head(head), promise: nil)
                if let body {
                    channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
                }
                channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
                promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
            }
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head) where head.status.code >= 200: answer = HTTPAnswer(status: head.status)
        case .head: break
        case .body(let bytes):
            answer?.body += bytes.readableBytesView
            if let answer, answer.body.count > limit {
                promise.fail(FileError(.tooLarge, "what \(place) holds has more than \(limit) bytes"))
                context.close(promise: nil)
            }
        case .end:
            if let answer { promise.succeed(answer) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(FileError(.unavailable, "\(place) closed the connection before it had answered"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(
            FileError(.unavailable, TLSTrust.problem(error, with: address) ?? "\(place) cannot be used: \(error)"))
        context.close(promise: nil)
    }
}
