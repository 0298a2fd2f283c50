// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Who listens to what on one subscribed connection, and what the server has confirmed of it.
///
/// Listeners of one channel share one subscription. The server answers requests in their order, with one confirmation
/// for each channel of a request or one error for the whole; so a channel is confirmed when its last request is, and not
/// when an earlier one is that was taken back in the meantime. No input or output happens here.
struct SubscriptionTable<Listener> {
    struct Request: Equatable {
        var subscribes: Bool
        var channels: [String]

        /// The confirmation's first element, which is also the command.
        var verb: String { subscribes ? "subscribe" : "unsubscribe" }
    }

    enum Event {
        case none
        /// These listen to the channel that a message came on.
        case message([Listener], payload: [UInt8])
        /// These are heard from now on.
        case confirmed([Listener])
        /// These are refused and forgotten.
        case refused([Listener], RedisError)
        /// One of several channels was refused: ask for each alone, to learn which.
        case askAgain([Request])
    }

    private struct Entry {
        var listeners: [Int: Listener] = [:]
        var isConfirmed = false
    }

    /// How many channels one request may name, so that thousands do not make one huge command.
    static var requestSize: Int { 500 }

    private var entries: [String: Entry] = [:]
    private var channels: [Int: String] = [:]
    private var requests = CircularBuffer<Request>()
    /// How many confirmations of the first request are still to come.
    private var outstanding = 0
    /// How often each channel is named by a request for it that is under way.
    private var asked: [String: Int] = [:]

    var isEmpty: Bool { entries.isEmpty }

    /// Adds a listener; tells whether it must be asked for, and whether it is confirmed already.
    mutating func add(_ listener: Listener, id: Int, to channel: String) -> (isNew: Bool, isConfirmed: Bool) {
        channels[id] = channel
        let isNew = entries[channel] == nil
        entries[channel, default: Entry()].listeners[id] = listener
        return (isNew, entries[channel]?.isConfirmed ?? false)
    }

    /// Removes a listener; the channel, if nobody listens to it any more.
    mutating func remove(id: Int) -> String? {
        guard let channel = channels.removeValue(forKey: id) else { return nil }
        entries[channel]?.listeners[id] = nil
        guard entries[channel]?.listeners.isEmpty ?? false else { return nil }
        entries[channel] = nil
        return channel
    }

    /// What a new connection has to be asked for.
    func requestsForAll() -> [Request] {
        let all = Array(entries.keys)
        return stride(from: 0, to: all.count, by: Self.requestSize).map { start in
            Request(subscribes: true, channels: Array(all[start..<min(start + Self.requestSize, all.count)]))
        }
    }

    /// A request is about to be written.
    mutating func sent(_ request: Request) {
        if requests.isEmpty { outstanding = request.channels.count }
        requests.append(request)
        if request.subscribes { for channel in request.channels { asked[channel, default: 0] += 1 } }
    }

    /// The connection is gone.
    mutating func lost() {
        requests.removeAll()
        asked = [:]
        for channel in entries.keys { entries[channel]?.isConfirmed = false }
    }

    /// Everybody.
    var listeners: [Listener] { entries.values.flatMap(\.listeners.values) }

    /// Everybody, who is forgotten with this.
    mutating func removeAll() -> [Listener] {
        let listeners = listeners
        self = Self()
        return listeners
    }

    /// Something came on the connection.
    mutating func received(_ push: RESPValue) -> Event {
        if case .error(let error) = push { return refused(error) }
        // Anything else that is not a list of three is the answer to a sign of life.
        guard let parts = push.array, parts.count == 3, let verb = parts[0].text, let channel = parts[1].text else {
            return .none
        }
        guard verb == "message" else { return confirmed(verb, channel) }
        guard let entry = entries[channel], let payload = parts[2].bytes else { return .none }
        return .message(Array(entry.listeners.values), payload: payload)
    }

    private mutating func confirmed(_ verb: String, _ channel: String) -> Event {
        guard let request = requests.first, request.verb == verb else { return .none }
        outstanding -= 1
        if outstanding == 0 { finishRequest() }
        guard request.subscribes, finishAsking(for: channel), entries[channel]?.isConfirmed == false else {
            return .none
        }
        entries[channel]?.isConfirmed = true
        return .confirmed(entries[channel].map { Array($0.listeners.values) } ?? [])
    }

    private mutating func refused(_ error: RedisError) -> Event {
        guard let request = requests.first else { return .none }
        finishRequest()
        guard request.subscribes else { return .none }
        let current = request.channels.filter { finishAsking(for: $0) && entries[$0]?.isConfirmed == false }
        if request.channels.count > 1 { return .askAgain(current.map { Request(subscribes: true, channels: [$0]) }) }
        let listeners = current.flatMap { entries.removeValue(forKey: $0)?.listeners ?? [:] }
        for (id, _) in listeners { channels[id] = nil }
        return .refused(listeners.map(\.value), error)
    }

    private mutating func finishRequest() {
        requests.removeFirst()
        outstanding = requests.first?.channels.count ?? 0
    }

    /// Counts an answered request for the channel; true if no other is under way.
    private mutating func finishAsking(for channel: String) -> Bool {
        guard let count = asked[channel], count > 1 else {
            asked[channel] = nil
            return true
        }
        asked[channel] = count - 1
        return false
    }
}
