// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The part of a ``RedisClient`` that lives on its event loop: the connection, and who waits for one.
final class RedisClientCore {
    private let reconnector: Reconnector
    private let presence: ConnectionPresence
    private let outbox: Outbox
    private var waiting: DeadlineQueue<RedisBatch>
    private var timer: Scheduled<Void>?
    /// Why there is no connection, since the last loss or failed attempt.
    private var cause: RedisError?

    init(_ reconnector: Reconnector, presence: ConnectionPresence, outbox: Outbox) {
        self.reconnector = reconnector
        self.presence = presence
        self.outbox = outbox
        waiting = DeadlineQueue(patience: TimeAmount(reconnector.options.commandTimeout))
        reconnector.onConnect = { [weak self] in self?.connected($0, generation: $1) }
        reconnector.onDisconnect = { [weak self] in self?.disconnected($0) }
    }

    deinit {
        failWaiting(.closedHere(reconnector.url))
    }

    func send(_ batches: [RedisBatch]) {
        if let handler = reconnector.connection?.handler.value {
            handler.catchUp()
            for batch in batches { handler.write(batch) }
            handler.flush()
        } else {
            for batch in batches { wait(batch) }
        }
    }

    func giveUp(_ batch: RedisBatch) {
        reconnector.connection?.handler.value.giveUp(batch)
    }

    /// Uses a connection that was opened elsewhere, if there is none. Returns whether that is so.
    func adopt(_ connection: RedisConnection) -> Bool { reconnector.adopt(connection) }

    func close() {
        guard !reconnector.isClosed else { return }
        reconnector.close()
        let error = RedisError.closedHere(reconnector.url)
        presence.disconnected(error)
        failWaiting(error)
    }

    private func wait(_ batch: RedisBatch) {
        if reconnector.isClosed {
            batch.complete(.failure(.closedHere(reconnector.url)))
        } else if let cause, !cause.isRetryable {
            batch.complete(.failure(cause))
        } else {
            waiting.append(batch, now: reconnector.eventLoop.now)
            armTimer()
            reconnector.start()
        }
    }

    private func connected(_ connection: RedisConnection, generation: Int) {
        cause = nil
        presence.connected(generation: generation)
        timer?.cancel()
        timer = nil
        send(waiting.removeAll())
        connection.handler.value.share(with: outbox)
    }

    private func disconnected(_ error: RedisError) {
        cause = error
        presence.disconnected(error)
        if !error.isRetryable { failWaiting(error) }
    }

    private func failWaiting(_ error: RedisError) {
        timer?.cancel()
        timer = nil
        for batch in waiting.removeAll() { batch.complete(.failure(error)) }
    }

    private func armTimer() {
        guard timer == nil, let deadline = waiting.deadline else { return }
        timer = reconnector.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            self?.timerRang()
        }
    }

    private func timerRang() {
        timer = nil
        for batch in waiting.removeExpired(now: reconnector.eventLoop.now) {
            let error = RedisError.noConnection(to: reconnector.url, cause: cause)
            batch.complete(.failure(batch.commands.first.map(error.naming) ?? error))
        }
        armTimer()
    }
}

extension RedisError {
    /// Nobody could be asked within the time allowed, for this last reason.
    static func noConnection(to url: RedisURL, cause: RedisError?) -> RedisError {
        let reason = cause.map { ": \($0.message)" } ?? ""
        return RedisError(code: .timedOut, message: "no connection to \(url.peer) in time\(reason)", underlying: cause)
    }
}
