// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import NIOCore

/// The blocking, crash-safe pop on one waiting list, on a connection of its own: BLMOVE into the process's leased list.
///
/// Lives on the event loop. It pops until it has a message or is not wanted any more; each pop waits a few seconds only, so
/// that a dead connection is noticed. A connection whose pop was given up is closed, never reused: the server may still
/// move a message for it, which then lies in the leased list all the same. So does one that is larger than anybody takes:
/// the connection is closed while it comes.
final class BlockedPop {
    private enum State {
        case idle
        case connecting
        case blocked
        case taking
        case resting
    }

    let list: String
    /// The pop and, where it is wanted, the question how many messages it leaves: made once.
    private let commands: [RedisCommand]
    private let broker: RedisBroker
    private let options: RedisOptions
    private let wait: Duration
    private let isWanted: () -> Bool
    private let answered: ([UInt8]?) -> Void
    private let lostReply: () -> Void
    private var state = State.idle
    private var connection: RedisConnection?
    private var isClosed = false
    /// Whether to pop as soon as the connection stands.
    private var popsOnceConnected = false
    /// Why the server refused the last pop, if it did.
    private var refusal: RedisError.Code?
    /// Whether the last pop brought the last message of its list.
    private var isDrained = false

    /// - Parameters:
    ///   - countsRest: Whether to ask, with each pop, how many messages it leaves: one command more.
    ///   - isWanted: Whether to pop (again).
    ///   - answered: Takes a message, or the news that there was none.
    ///   - lostReply: Told when a pop ended without saying whether it moved a message.
    init(
        list: String, leased: String, broker: RedisBroker, wait: Duration, countsRest: Bool, messageLimit: Int,
        isWanted: @escaping () -> Bool,
        answered: @escaping ([UInt8]?) -> Void, lostReply: @escaping () -> Void
    ) {
        self.list = list
        let pop = RedisCommand("BLMOVE", list, leased, "RIGHT", "LEFT", wait / .seconds(1))
        commands = countsRest ? [pop, RedisCommand("LLEN", list)] : [pop]
        self.broker = broker
        var options = broker.options
        // And some room for the reply's own words.
        options.maximumReply = min(messageLimit, .max - 65_536) + 65_536
        // With the time that a pop waits, the ten seconds in which a dead connection is to be noticed.
        options.readTimeout = .seconds(4)
        self.options = options
        self.wait = wait
        self.isWanted = isWanted
        self.answered = answered
        self.lostReply = lostReply
    }

    /// Whether the list is empty, or was once the last pop had taken its message.
    var knowsEmpty: Bool { state == .blocked || state == .idle && isDrained }

    /// The number by which the server can be told to end the pop.
    var clientID: Int? { state == .blocked ? connection?.clientID : nil }

    /// Whether a pop is under way.
    var isBlocked: Bool { state == .blocked }

    /// Pops if it is wanted and not already under way.
    func arm() {
        guard !isClosed, isWanted() else { return }
        if state == .connecting { popsOnceConnected = true }
        guard state == .idle else { return }
        guard let connection else { return connect(thenPops: true) }
        state = .blocked
        connection.submit(commands, blockFor: wait).hop(to: broker.client.eventLoop).assumeIsolated().whenComplete {
            self.ended($0)
        }
    }

    /// Sends these commands, which move messages from the same list to the same leased list without waiting for any: where
    /// neither the caller's nor the server's other work should have to wait for what they bring. Nil, and nothing was sent,
    /// where a pop is under way or the connection does not stand yet.
    func take(_ commands: [RedisCommand]) -> EventLoopFuture<[RESPValue]>? {
        guard !isClosed, state == .idle else { return nil }
        guard let connection else {
            connect(thenPops: false)
            return nil
        }
        state = .taking
        isDrained = false
        let replies = connection.submit(commands).hop(to: broker.client.eventLoop)
        replies.assumeIsolated().whenComplete { result in
            self.state = .idle
            if case .failure = result { self.lost() }
        }
        return replies
    }

    private func ended(_ result: Result<[RESPValue], any Error>) {
        state = .idle
        switch result {
        case .success(let replies):
            if let error = replies[0].error, error.code != .unblocked {
                let isNew = refusal != error.code
                refusal = error.code
                broker.logger.log(
                    level: isNew ? .error : .debug, "a queue cannot be served",
                    metadata: ["list": "\(list)", "error": "\(error)"])
                return rest()
            }
            refusal = nil
            let message = replies[0].bytes
            isDrained = message != nil && replies.last?.integer == 0
            answered(message)
            // After a message the next claim comes first: popping beside it, this might take a message out of turn.
            if message == nil { arm() }
        case .failure:
            lost()
        }
    }

    private func lost() {
        connection = nil
        isDrained = false
        lostReply()
        rest()
    }

    private func connect(thenPops: Bool) {
        state = .connecting
        popsOnceConnected = thenPops
        RedisConnection.open(to: broker.url, options: options, on: broker.client.eventLoop)
            .assumeIsolated().whenComplete { result in
                self.state = .idle
                switch result {
                case .success(let connection) where self.isClosed:
                    connection.closeAtOnce()
                case .success(let connection):
                    self.connection = connection
                    if self.popsOnceConnected { self.arm() }
                case .failure:
                    self.rest()
                }
            }
    }

    /// Waits a little before the next try: the client's connection knows when the server is back, this one only asks.
    private func rest() {
        state = .resting
        let pause = TimeAmount.milliseconds(Int64.random(in: 200...600))
        broker.client.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            self.state = .idle
            self.arm()
        }
    }

    func close() {
        isClosed = true
        connection?.closeAtOnce()
        connection = nil
    }
}
