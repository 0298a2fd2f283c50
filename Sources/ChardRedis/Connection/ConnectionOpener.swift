// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL

/// Opens a socket to a server, with TLS where the URL wants it, and greets the server.
enum ConnectionOpener {
    /// Opens a connection and sends the greeting: password, database, name and a first `PING`, in one round trip.
    ///
    /// The future fails with a ``RedisError`` and always completes within the connect timeout: the bootstrap keeps
    /// it until the socket is connected, the handler from then on.
    /// Where the URL names sentinels, they are asked before, and the server has to be a primary.
    static func open(
        to url: RedisURL, options: RedisOptions, on eventLoop: any EventLoop
    ) -> EventLoopFuture<RedisConnection> {
        guard let sentinels = url.sentinels else { return open(to: url, options, namedBy: nil, on: eventLoop) }
        let finder = options.primaries.finder
        return finder.find(sentinels, clientName: options.clientName, on: eventLoop).flatMap { finding in
            var found = url
            found.sentinels = nil
            found.address = finding.address
            let peer = found.peer
            return open(to: found, options, namedBy: sentinels, on: eventLoop).flatMapErrorThrowing { error in
                finder.doubt(finding, of: sentinels)
                throw RedisError(connectionTo: peer, failed: error).of(finding)
            }
        }
    }

    /// Opens a connection with what the program says of user and password, if it wants to be asked.
    private static func open(
        to url: RedisURL, _ options: RedisOptions, namedBy sentinels: Sentinels?, on eventLoop: any EventLoop
    ) -> EventLoopFuture<RedisConnection> {
        guard let source = options.credentials else { return openKnown(to: url, options, sentinels, on: eventLoop) }
        return source.credentials(for: url.peer, within: options.connectTimeout, on: eventLoop).flatMap { credentials in
            var known = url
            known.user = credentials.username
            known.password = credentials.password
            return openKnown(to: known, options, sentinels, on: eventLoop).map { connection in
                CredentialRenewal(of: connection.handler.value, source, options, peer: url.peer, on: eventLoop)
                    .begin(credentials)
                return connection
            }
        }
    }

    private static func openKnown(
        to url: RedisURL, _ options: RedisOptions, _ sentinels: Sentinels?, on eventLoop: any EventLoop
    ) -> EventLoopFuture<RedisConnection> {
        let promise = eventLoop.makePromise(of: RedisConnection.self)
        eventLoop.execute {
            do throws(RedisError) {
                let greeting = Greeting(url: url, options: options, asksForRole: sentinels != nil)
                let security = try url.tls.map { tls throws(RedisError) in try TLSContexts.context(for: tls) }
                let probe = url.tls.map { _ in Probe(url, options, on: eventLoop) }
                connect(url, options, security, sentinels, on: eventLoop).assumeIsolated().whenComplete { result in
                    do {
                        let channel = try result.get()
                        let handler = try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
                        greet(channel, greeting, handler, url, probe, promise)
                    } catch {
                        probe?.timer.cancel()
                        promise.fail(RedisError(connectionTo: url.peer, failed: error))
                    }
                }
            } catch {
                promise.fail(error)
            }
        }
        return promise.futureResult
    }

    /// A server that has not answered a TLS handshake after half of the time is asked in plain.
    private struct Probe {
        let isPlainRedis: NIOLoopBoundBox<Bool>
        let timer: Scheduled<Void>

        init(_ url: RedisURL, _ options: RedisOptions, on eventLoop: any EventLoop) {
            let box = NIOLoopBoundBox(false, eventLoop: eventLoop)
            let half = TimeAmount(options.connectTimeout / 2)
            isPlainRedis = box
            timer = eventLoop.scheduleTask(in: half) {
                PlainProbe.isPlainRedis(at: url.address, on: eventLoop, within: half).whenSuccess { box.value = $0 }
            }
        }
    }

    private static func connect(
        _ url: RedisURL, _ options: RedisOptions, _ security: NIOSSLContext?, _ sentinels: Sentinels?,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        let start = eventLoop.now
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(options.connectTimeout))
            // Once for each of the host's addresses, until one of them lets us in.
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let security { try pipeline.addHandler(securityHandler(security, url.address)) }
                    try pipeline.addHandler(ConnectionHandler(url: url, options: options, now: start))
                    if let sentinels {
                        options.primaries.watch(channel, at: url.address, sentinels, clientName: options.clientName)
                    }
                }
            }
        switch url.address {
        case .tcp(let host, let port):
            return
                bootstrap
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .connect(host: host, port: port)
        case .unix(let path):
            return bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    private static func securityHandler(_ context: NIOSSLContext, _ address: RedisURL.Address) throws
        -> NIOSSLClientHandler
    {
        guard case .tcp(let host, _) = address, (try? SocketAddress(ipAddress: host, port: 0)) == nil else {
            // An address of digits is no server name: the certificate is checked against the peer's address.
            return try NIOSSLClientHandler(context: context, serverHostname: nil)
        }
        return try NIOSSLClientHandler(context: context, serverHostname: host)
    }

    private static func greet(
        _ channel: any Channel, _ greeting: Greeting, _ handler: ConnectionHandler, _ url: RedisURL, _ probe: Probe?,
        _ promise: EventLoopPromise<RedisConnection>
    ) {
        let boundHandler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        greeting.batch.whenComplete { result in
            let handler = boundHandler.value
            probe?.timer.cancel()
            do throws(RedisError) {
                let clientID = try greeting.check(try result.get(), peer: url.peer)
                handler.opened()
                promise.succeed(RedisConnection(url: url, channel: channel, handler: handler, clientID: clientID))
            } catch {
                if let tls = url.tls, error.code == .tls { TLSContexts.forget(tls) }
                handler.close(error)
                switch error.code {
                case .closed where url.tls == nil:
                    PlainProbe.farewell(of: url.address, on: channel.eventLoop, within: .seconds(1)).whenSuccess {
                        promise.fail($0 ?? RedisError.hungUp(url.peer, error))
                    }
                case .timedOut where probe != nil:
                    let isPlain = probe?.isPlainRedis.value ?? false
                    promise.fail(RedisError.silentHandshake(with: url.peer, isPlainRedis: isPlain, error))
                default: promise.fail(error)
                }
            }
        }
        handler.write(greeting.batch)
        handler.flush()
    }
}

extension RedisError {
    /// What is wrong with a server, with the words of the sentinel that has named it: of what waiting may cure, some of which
    /// is the sentinel's mistake.
    fileprivate func of(_ finding: PrimaryFinder.Finding) -> RedisError {
        guard isRetryable else { return self }
        // A replica is not what refuses a write here, but no connection to the primary.
        let code = code == .readOnly ? .unreachable : code
        return RedisError(code: code, message: "\(finding.words): \(message)", underlying: self)
    }

    /// The server closed the connection before it answered anything, as one does that waits for a TLS handshake.
    fileprivate static func hungUp(_ peer: String, _ cause: RedisError) -> RedisError {
        RedisError(
            code: .closed,
            message: "\(peer) hung up before it answered; if it expects TLS, the URL must start with rediss://",
            underlying: cause)
    }
}
