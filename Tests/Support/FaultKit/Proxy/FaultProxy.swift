// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// A TCP proxy before a Redis server, at which the way to it can be broken in every manner.
public final class FaultProxy: Sendable {
    /// What happens to bytes on their way.
    public struct Weather: Sendable {
        /// Whether what clients send stays here until the weather changes.
        public var holdsUpward = false
        /// Whether what the server sends stays here until the weather changes.
        public var holdsDownward = false
        /// With a delay, bytes go on after it, one by one.
        public var delay: TimeAmount?
        /// An error with which every command is answered at once, without the server.
        public var answer: String?

        /// Fine weather.
        public static let fine = Weather()
        /// Nothing comes through, nobody is told.
        public static let blackHole = Weather(holdsUpward: true, holdsDownward: true)
        /// 200 ms each way, in pieces of one byte.
        public static let slow = Weather(delay: .milliseconds(200))
    }

    /// The port on the loopback address.
    public let port: Int
    private let core: NIOLoopBoundBox<Core>
    private let loop: any EventLoop

    /// The URL of the server's database 0 through the proxy.
    public var url: String { "redis://127.0.0.1:\(port)/0" }

    /// Lives on the event loop.
    private final class Core {
        var links: [ObjectIdentifier: ProxyLink] = [:]
        var weather = Weather.fine
        var gates: [ProxyGate] = []
        var listener: (any Channel)?
    }

    /// Opens a proxy before the server on a port of the loopback address.
    public static func start(before server: Int) async throws -> FaultProxy {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let core = NIOLoopBoundBox.makeBoxSendingValue(Core(), eventLoop: loop)
        let listener = try await ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { client in
                ClientBootstrap(group: loop).channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .connect(host: "127.0.0.1", port: server)
                    .flatMapThrowing { server in try join(client, server, core.value) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        try await loop.submit { core.value.listener = listener }.get()
        return FaultProxy(port: listener.localAddress?.port ?? 0, core: core, loop: loop)
    }

    private init(port: Int, core: NIOLoopBoundBox<Core>, loop: any EventLoop) {
        self.port = port
        self.core = core
        self.loop = loop
    }

    private static func join(_ client: any Channel, _ server: any Channel, _ core: Core) throws {
        let link = ProxyLink(client: client, server: server, weather: core.weather) { [unowned core] in core.gates }
        let key = ObjectIdentifier(link)
        core.links[key] = link
        try client.pipeline.syncOperations.addHandler(
            ProxyHandler(link, received: { $0.received(fromClient: $1) }, ended: { $0.clientHungUp() }))
        try server.pipeline.syncOperations.addHandler(
            ProxyHandler(link, received: { $0.received(fromServer: $1) }, ended: { $0.serverHungUp() }))
        client.closeFuture.assumeIsolated().whenComplete { _ in core.links[key] = nil }
    }

    // MARK: What a test does to it

    /// Changes the weather for the present connections and later ones.
    public func set(_ weather: Weather) async throws {
        try await change { core in
            core.weather = weather
            for link in core.links.values { link.change(weather) }
        }
    }

    /// Changes the weather for the present connections only.
    public func setForPresent(_ weather: Weather) async throws {
        try await change { core in
            for link in core.links.values { link.change(weather) }
        }
    }

    /// Ends all connections.
    public func cut(resetting: Bool = false) async throws {
        try await change { core in
            for link in core.links.values { link.cut(resetting: resetting) }
        }
    }

    /// Puts up a gate.
    public func gate(_ place: ProxyGate.Place) async throws -> ProxyGate {
        let gate = ProxyGate(place)
        try await change { $0.gates.append(gate) }
        return gate
    }

    /// Ends the proxy and all connections.
    public func stop() async {
        try? await change { core in
            core.listener?.close(promise: nil)
            for link in core.links.values { link.cut(resetting: false) }
        }
    }

    private func change(_ body: @escaping @Sendable (Core) -> Void) async throws {
        let core = core
        try await loop.submit { body(core.value) }.get()
    }
}

/// Tells a link what comes on one of its two channels.
private final class ProxyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: ProxyLink
    private let received: (ProxyLink, ByteBuffer) -> Void
    private let ended: (ProxyLink) -> Void

    init(
        _ link: ProxyLink, received: @escaping (ProxyLink, ByteBuffer) -> Void, ended: @escaping (ProxyLink) -> Void
    ) {
        self.link = link
        self.received = received
        self.ended = ended
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received(link, unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended(link)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
