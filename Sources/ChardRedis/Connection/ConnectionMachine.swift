// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Which reply belongs to whom, and when silence means that the connection is lost.
///
/// Redis answers in the order of the commands, so what is awaited is a queue of batches; the replies of the first are
/// gathered until they are all there. A subscribed connection awaits nothing: whatever it receives is a push.
/// The machine does no input or output and reads no clock: it is told what happened and when, and returns what to do.
///
///     opening ──opened──► ready ──subscribe──► subscribed
///        └──────────────────┴─── close ───────────┴──► closed
struct ConnectionMachine {
    enum Phase: Equatable {
        /// The first commands are under way; they must be answered by the deadline.
        case opening(until: NIODeadline)
        case ready
        case subscribed
        case closed(RedisError.Code)
    }

    struct Limits {
        /// The longest silence while replies are awaited.
        var read: TimeAmount
        /// The silence after which a sign of life is asked for; nil never asks.
        var idle: TimeAmount?
        /// The longest wait for a sign of life.
        var ping: TimeAmount
    }

    enum Received {
        /// The batch has more replies to come.
        case partial
        case complete(RedisBatch, [RESPValue])
        case push(RESPValue)
        /// A reply that nobody asked for.
        case unexpected
    }

    enum Timeout: Equatable {
        case none
        /// Ask for a sign of life, then wait for ``ConnectionMachine/deadline``.
        case ping
        case close(RedisError.Code)
    }

    private(set) var phase: Phase
    private let limits: Limits
    private var awaited = CircularBuffer<RedisBatch>()
    /// The replies to the first awaited batch that have come so far.
    private var replies: [RESPValue] = []
    /// Since when the connection has been silent, or nothing was awaited of it.
    private var quietSince: NIODeadline
    private var pingedAt: NIODeadline?

    init(openUntil deadline: NIODeadline, now: NIODeadline, limits: Limits) {
        phase = .opening(until: deadline)
        quietSince = now
        self.limits = limits
    }

    var isClosed: Bool {
        if case .closed = phase { true } else { false }
    }

    /// The server has accepted the first commands.
    mutating func opened() {
        if case .opening = phase { phase = .ready }
    }

    /// From now on whatever comes is a push; nothing may be awaited any more.
    mutating func subscribe() {
        if case .ready = phase { phase = .subscribed }
    }

    /// A batch is about to be written; false if the connection is closed, and the batch must not be.
    mutating func expectReplies(to batch: RedisBatch, now: NIODeadline) -> Bool {
        guard !isClosed else { return false }
        if awaited.isEmpty { quietSince = now }
        awaited.append(batch)
        return true
    }

    /// A sign of life was asked for, as the machine wanted.
    mutating func pinged(with batch: RedisBatch, now: NIODeadline) {
        pingedAt = now
        if phase != .subscribed { awaited.append(batch) }
    }

    /// Bytes arrived, whole replies or not.
    mutating func heard(now: NIODeadline) {
        quietSince = now
        pingedAt = nil
    }

    /// A whole reply arrived.
    mutating func received(_ reply: RESPValue) -> Received {
        if phase == .subscribed { return .push(reply) }
        guard let batch = awaited.first else { return .unexpected }
        if replies.isEmpty { replies.reserveCapacity(batch.commands.count) }
        if case .error(let error) = reply {
            replies.append(.error(error.naming(batch.commands[replies.count])))
        } else {
            replies.append(reply)
        }
        guard replies.count == batch.commands.count else { return .partial }
        awaited.removeFirst()
        let complete = replies
        replies = []
        return .complete(batch, complete)
    }

    /// Whether a timer rings on an idle connection before the first reply to what is written now would be overdue.
    var looksWhileIdle: Bool { limits.idle.map { $0 <= limits.read } ?? false }

    /// Whether every batch that was written is answered.
    var awaitsNothing: Bool { phase == .ready && awaited.isEmpty }

    /// Whether the batch was written and is not answered yet.
    func isAwaiting(_ batch: RedisBatch) -> Bool {
        awaited.contains { $0 === batch }
    }

    /// When to ask ``timeout(now:)``, as things stand.
    var deadline: NIODeadline? {
        switch phase {
        case .closed:
            return nil
        case .opening(let until):
            return until
        case .ready, .subscribed:
            if let pingedAt { return pingedAt + limits.ping }
            if let batch = awaited.first {
                return quietSince + limits.read + (batch.blockFor.map { TimeAmount($0) } ?? .zero)
            }
            return limits.idle.map { quietSince + $0 }
        }
    }

    /// What the passing of time asks for.
    func timeout(now: NIODeadline) -> Timeout {
        guard let deadline, deadline <= now else { return .none }
        if case .opening = phase { return .close(.timedOut) }
        return pingedAt == nil && awaited.isEmpty ? .ping : .close(.timedOut)
    }

    /// The connection has ended: whoever waits is returned, with the first command that was not answered.
    mutating func close(_ code: RedisError.Code) -> [(batch: RedisBatch, unanswered: RedisCommand)] {
        guard !isClosed else { return [] }
        phase = .closed(code)
        let answered = replies.count
        defer {
            awaited.removeAll()
            replies = []
        }
        return awaited.enumerated().map { index, batch in (batch, batch.commands[index == 0 ? answered : 0]) }
    }
}
