// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Who listens to what on one subscribed connection, and what the server has confirmed of it.
///
/// Listeners of one topic share one subscription. The server answers requests in their order, with one confirmation
/// for each topic of a request or one error for the whole; so a topic is confirmed when its last request is, and not
/// when an earlier one is that was taken back in the meantime. No input or output happens here.
struct SubscriptionTable<Listener> {
    /// A channel, or a pattern of channels.
    struct Topic: Hashable {
        var isPattern: Bool
        var name: String
    }

    struct Request: Equatable {
        var subscribes: Bool
        var topics: [Topic]

        /// The confirmation's first element, which is also the command.
        func verb(for topic: Topic) -> String {
            (topic.isPattern ? "p" : "") + (subscribes ? "subscribe" : "unsubscribe")
        }
    }

    enum Event {
        case none
        /// These listen to the topic that a message came for.
        case message([Listener], channel: [UInt8], payload: [UInt8])
        /// These are heard from now on.
        case confirmed([Listener])
        /// These are refused and forgotten.
        case refused([Listener], RedisError)
        /// One of several topics was refused: ask for each alone, to learn which.
        case askAgain([Request])
    }

    private struct Entry {
        var listeners: [Int: Listener] = [:]
        var isConfirmed = false
    }

    /// How many topics one request may name, so that thousands do not make one huge command.
    static var requestSize: Int { 500 }

    private var entries: [Topic: Entry] = [:]
    private var topics: [Int: Topic] = [:]
    private var requests = CircularBuffer<Request>()
    /// How many confirmations of the first request are still to come.
    private var outstanding = 0
    /// How often each topic is named by a request for it that is under way.
    private var asked: [Topic: Int] = [:]

    var isEmpty: Bool { entries.isEmpty }

    /// Adds a listener; tells whether the topic must be asked for, and whether it is confirmed already.
    mutating func add(_ listener: Listener, id: Int, to topic: Topic) -> (isNew: Bool, isConfirmed: Bool) {
        topics[id] = topic
        let isNew = entries[topic] == nil
        entries[topic, default: Entry()].listeners[id] = listener
        return (isNew, entries[topic]?.isConfirmed ?? false)
    }

    /// Removes a listener; the topic, if nobody listens to it any more.
    mutating func remove(id: Int) -> Topic? {
        guard let topic = topics.removeValue(forKey: id) else { return nil }
        entries[topic]?.listeners[id] = nil
        guard entries[topic]?.listeners.isEmpty ?? false else { return nil }
        entries[topic] = nil
        return topic
    }

    /// What a new connection has to be asked for.
    func requestsForAll() -> [Request] {
        [false, true].flatMap { isPattern in
            let topics = entries.keys.filter { $0.isPattern == isPattern }
            return stride(from: 0, to: topics.count, by: Self.requestSize).map { start in
                Request(subscribes: true, topics: Array(topics[start..<min(start + Self.requestSize, topics.count)]))
            }
        }
    }

    /// A request is about to be written. Its topics are all channels or all patterns.
    mutating func sent(_ request: Request) {
        if requests.isEmpty { outstanding = request.topics.count }
        requests.append(request)
        if request.subscribes { for topic in request.topics { asked[topic, default: 0] += 1 } }
    }

    /// The connection is gone: returns who was heard until now.
    mutating func lost() -> [Listener] {
        requests.removeAll()
        asked = [:]
        var listeners: [Listener] = []
        for (topic, entry) in entries where entry.isConfirmed {
            listeners += entry.listeners.values
            entries[topic]?.isConfirmed = false
        }
        return listeners
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
        // Anything else that is not a list of three or four is the answer to a sign of life.
        guard let parts = push.array, parts.count >= 3, let verb = parts[0].text else { return .none }
        switch verb {
        case "message":
            return message(Topic(isPattern: false, name: parts[1].text ?? ""), parts[1], parts[2])
        case "pmessage" where parts.count == 4:
            return message(Topic(isPattern: true, name: parts[1].text ?? ""), parts[2], parts[3])
        default:
            return confirmed(verb, name: parts[1].text ?? "")
        }
    }

    private func message(_ topic: Topic, _ channel: RESPValue, _ payload: RESPValue) -> Event {
        guard let entry = entries[topic], let channel = channel.bytes, let payload = payload.bytes else { return .none }
        return .message(Array(entry.listeners.values), channel: channel, payload: payload)
    }

    private mutating func confirmed(_ verb: String, name: String) -> Event {
        let topic = Topic(isPattern: verb.hasPrefix("p"), name: name)
        guard let request = requests.first, request.verb(for: topic) == verb else { return .none }
        outstanding -= 1
        if outstanding == 0 { finishRequest() }
        guard request.subscribes, finishAsking(for: topic), entries[topic]?.isConfirmed == false else { return .none }
        entries[topic]?.isConfirmed = true
        return .confirmed(entries[topic].map { Array($0.listeners.values) } ?? [])
    }

    private mutating func refused(_ error: RedisError) -> Event {
        guard let request = requests.first else { return .none }
        finishRequest()
        guard request.subscribes else { return .none }
        let current = request.topics.filter { finishAsking(for: $0) && entries[$0]?.isConfirmed == false }
        if request.topics.count > 1 { return .askAgain(current.map { Request(subscribes: true, topics: [$0]) }) }
        let listeners = current.flatMap { entries.removeValue(forKey: $0)?.listeners ?? [:] }
        for (id, _) in listeners { topics[id] = nil }
        return .refused(listeners.map(\.value), error)
    }

    private mutating func finishRequest() {
        requests.removeFirst()
        outstanding = requests.first?.topics.count ?? 0
    }

    /// Counts an answered request for the topic; true if no other is under way.
    private mutating func finishAsking(for topic: Topic) -> Bool {
        guard let count = asked[topic], count > 1 else {
            asked[topic] = nil
            return true
        }
        asked[topic] = count - 1
        return false
    }
}
