// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore

/// Keeps one connection open: the shell of a ``ReconnectMachine`` on its event loop.
final class Reconnector {
    let url: RedisURL
    let options: RedisOptions
    let eventLoop: any EventLoop
    /// Given each new connection with its number.
    var onConnect: (RedisConnection, Int) -> Void = { _, _ in }
    /// Told why there is no connection: after a loss, and after each failed attempt.
    var onDisconnect: (RedisError) -> Void = { _ in }

    private(set) var connection: RedisConnection?
    private var machine: ReconnectMachine
    /// The end of the wait before the next attempt.
    private var retry: Scheduled<Void>?
    private let jitter: @Sendable () -> Double

    init(url: RedisURL, options: RedisOptions, eventLoop: any EventLoop, jitter: @escaping @Sendable () -> Double) {
        self.url = url
        self.options = options
        self.eventLoop = eventLoop
        self.jitter = jitter
        var delays = options.reconnectDelays
        // Sentinels name another server within seconds: that is not to be slept through.
        if url.sentinels != nil { delays = delays.clamped(to: .zero...(.milliseconds(500))) }
        machine = ReconnectMachine(delays: TimeAmount(delays.lowerBound)...TimeAmount(delays.upperBound))
    }

    var isClosed: Bool { machine.phase == .closed }

    /// Opens the connection if nobody has asked for it yet.
    func start() {
        if machine.start() { open() }
    }

    /// Takes over a connection that somebody has opened, unless there is one already, or one on its way. Returns whether it is
    /// the one that is used.
    func adopt(_ connection: RedisConnection) -> Bool {
        guard machine.offered() else {
            connection.closeAtOnce()
            return false
        }
        retry?.cancel()
        opened(connection)
        return self.connection === connection
    }

    /// Closes the connection for good.
    func close() {
        guard machine.close() else { return }
        connection?.handler.value.close(.closedHere(url))
        connection = nil
    }

    private func open() {
        let opening = RedisConnection.open(to: url, options: options, on: eventLoop)
        opening.assumeIsolated().whenComplete { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let connection): opened(connection)
            case .failure(let error): failed(RedisError(connectionTo: url.peer, failed: error))
            }
        }
    }

    private func opened(_ connection: RedisConnection) {
        let handler = connection.handler.value
        guard machine.opened(now: eventLoop.now) else {
            handler.close(.closedHere(url))
            return
        }
        guard !handler.isClosed else {
            failed(RedisError(code: .closed, message: "the connection to \(url.peer) was closed at once"))
            return
        }
        options.logger.debug("Connected to Redis", metadata: ["url": "\(url)"])
        if machine.generation > 1 { options.count.reconnected() }
        handler.onClose = { [weak self] error in self?.failed(error) }
        self.connection = connection
        onConnect(connection, machine.generation)
    }

    private func failed(_ error: RedisError) {
        connection = nil
        guard let delay = machine.failed(now: eventLoop.now, draw: jitter()) else { return }
        options.logger.debug("No connection to Redis", metadata: ["url": "\(url)", "error": "\(error)"])
        onDisconnect(error)
        retry = eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            if machine.waited() { open() }
        }
    }
}
