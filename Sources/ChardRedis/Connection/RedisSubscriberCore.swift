// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore

/// The part of a ``RedisSubscriber`` that lives on its event loop: the connection, who listens, who waits to.
final class RedisSubscriberCore {
    private typealias Table = SubscriptionTable<SubscriptionListener>

    private let reconnector: Reconnector
    private var table = SubscriptionTable<SubscriptionListener>()
    private var unconfirmed: DeadlineQueue<FirstAnswer<Void, RedisError>>
    private var timer: Scheduled<Void>?
    /// Who waits for the answer to an `AUTH`.
    private var authenticating: EventLoopPromise<RESPValue>?
    /// Why there is no connection, since the last loss or failed attempt.
    private var cause: RedisError?

    init(_ reconnector: Reconnector) {
        self.reconnector = reconnector
        unconfirmed = DeadlineQueue(patience: TimeAmount(reconnector.options.commandTimeout))
        reconnector.onConnect = { [weak self] connection, _ in self?.connected(connection) }
        reconnector.onDisconnect = { [weak self] in self?.disconnected($0) }
    }

    deinit {
        failUnconfirmed(.closedHere(reconnector.url))
        authenticating?.fail(RedisError.closedHere(reconnector.url))
    }

    func perform(_ operations: [RedisSubscriber.Operation]) {
        for operation in operations {
            switch operation {
            case .add(let listener, let id, let channel): add(listener, id: id, to: channel)
            case .remove(let id):
                if let channel = table.remove(id: id) { write(Table.Request(subscribes: false, channels: [channel])) }
            }
        }
        reconnector.connection?.handler.value.flush()
    }

    func close() {
        guard !reconnector.isClosed else { return }
        reconnector.close()
        let error = RedisError.closedHere(reconnector.url)
        authenticating.take()?.fail(error)
        for listener in table.removeAll() { listener.end(error) }
        failUnconfirmed(error)
    }

    private func add(_ listener: SubscriptionListener, id: Int, to channel: String) {
        if reconnector.isClosed {
            listener.confirmation.give(.failure(.closedHere(reconnector.url)))
        } else if let cause, !cause.isRetryable {
            listener.confirmation.give(.failure(cause))
        } else {
            let (isNew, isConfirmed) = table.add(listener, id: id, to: channel)
            if isConfirmed {
                confirm([listener])
                return
            }
            unconfirmed.removeFirst { $0.isGiven }
            unconfirmed.append(listener.confirmation, now: reconnector.eventLoop.now)
            armTimer()
            if isNew { write(Table.Request(subscribes: true, channels: [channel])) }
            reconnector.start()
        }
    }

    /// Writes a request if there is a connection; else the next connection's first requests will tell what is wanted.
    private func write(_ request: Table.Request) {
        guard let handler = reconnector.connection?.handler.value else { return }
        var command = RedisCommand(request.verb.uppercased())
        command.append(contentsOf: request.channels)
        table.sent(request)
        handler.writeUnanswered(ByteBuffer([command]))
    }

    private func connected(_ connection: RedisConnection) {
        cause = nil
        let handler = connection.handler.value
        handler.subscribe { [weak self] in self?.received($0) }
        handler.onAuthenticate = { [weak self] in self?.authenticate(with: $0, $1) }
        for request in table.requestsForAll() { write(request) }
        handler.flush()
    }

    /// A server takes no `AUTH` from who is subscribed. All that is written here it carries out in one go, as it reads it, so
    /// that nothing is published in between.
    private func authenticate(with command: RedisCommand, _ promise: EventLoopPromise<RESPValue>) {
        guard let handler = reconnector.connection?.handler.value, authenticating == nil else {
            return promise.fail(RedisError.closedHere(reconnector.url))
        }
        authenticating = promise
        let requests = table.requestsForAll()
        for request in requests { write(Table.Request(subscribes: false, channels: request.channels)) }
        handler.writeUnanswered(ByteBuffer([command]))
        for request in requests { write(request) }
        handler.flush()
    }

    private func received(_ push: RESPValue) {
        if push.array == nil, let promise = authenticating.take() { return promise.succeed(push) }
        switch table.received(push) {
        case .none:
            break
        case .message(let listeners, let payload):
            for listener in listeners { listener.onMessage(payload) }
        case .confirmed(let listeners):
            confirm(listeners)
        case .refused(let listeners, let error):
            for listener in listeners { listener.end(error) }
        case .askAgain(let requests):
            for request in requests { write(request) }
            reconnector.connection?.handler.value.flush()
        }
    }

    /// A listener's first confirmation ends its wait; every later one means that a new connection has taken over.
    private func confirm(_ listeners: [SubscriptionListener]) {
        for listener in listeners where !listener.confirmation.give(.success(())) {
            listener.onResubscribed()
        }
    }

    private func disconnected(_ error: RedisError) {
        cause = error
        authenticating.take()?.fail(error)
        table.lost()
        guard !error.isRetryable else { return }
        // They stay in the table: should it be mended all the same, they are heard again.
        for listener in table.listeners { listener.end(error) }
        failUnconfirmed(error)
    }

    private func failUnconfirmed(_ error: RedisError) {
        timer?.cancel()
        timer = nil
        for confirmation in unconfirmed.removeAll() { confirmation.give(.failure(error)) }
    }

    private func armTimer() {
        guard timer == nil, let deadline = unconfirmed.deadline else { return }
        timer = reconnector.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            self?.timerRang()
        }
    }

    private func timerRang() {
        timer = nil
        let error = RedisError.noConnection(to: reconnector.url, cause: cause)
        for confirmation in unconfirmed.removeExpired(now: reconnector.eventLoop.now) {
            confirmation.give(.failure(error))
        }
        armTimer()
    }
}
