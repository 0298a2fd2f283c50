// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore

/// Reads the orders: from their log, from where it is on, so that each costs the same however many there are. Where the log no
/// longer has what comes next, it reads which queues are paused, and which tasks are revoked behind the scenes, page by page.
/// Lives on the event loop.
final class OrderReader {
    private let server: RedisAccess
    private let node: String
    private let view: ConsumerView
    private let onTerminate: @Sendable (Set<String>) -> Void
    private var known = KnownOrders()
    /// Whether what was known once went on to what is known now without a gap.
    private var hasRead = false
    /// Counts the readings of all revoked tasks, of which the last one counts.
    private var readings = 0
    private var isClosed = false

    private static let page = 500

    init(
        _ server: RedisAccess, node: String, view: ConsumerView,
        onTerminate: @escaping @Sendable (Set<String>) -> Void
    ) {
        self.server = server
        self.node = node
        self.view = view
        self.onTerminate = onTerminate
    }

    func close() { isClosed = true }

    /// Reads what is new. Of what is told, the revoked tasks are the view's.
    func read(then tell: @escaping (Result<KnownOrders, RedisError>) -> Void) {
        // The number comes first: what is added in between is in the log rather than missed.
        let commands = [
            RedisCommand("GET", server.keys.orders),
            RedisCommand("XRANGE", server.keys.orderLog, "\(known.number + 1)-0", "+", "COUNT", Self.page),
        ]
        send(commands, tell) { replies in
            let number = replies[0].orderNumber
            if self.hasRead, number == self.known.number { return tell(.success(self.known)) }
            let entries = (replies[1].array ?? []).compactMap(Order.init)
            let isNext = entries.first?.number == self.known.number + 1
            guard self.hasRead, isNext, entries.count == Self.page || entries.last.map({ $0.number >= number }) == true
            else { return self.readAnew(then: tell) }
            self.take(entries)
            if entries.count == Self.page { return self.read(then: tell) }
            tell(.success(self.known))
        }
    }

    private func take(_ entries: [Order]) {
        for entry in entries { entry.change(&known) }
        view.learn(revoked: entries.flatMap(\.revoked))
        terminate(entries)
    }

    private func terminate(_ entries: [Order]) {
        let terminated = entries.filter { $0.kind == "terminate" }.flatMap { $0.revoked.map(\.id) }
        if !terminated.isEmpty { onTerminate(Set(terminated)) }
    }

    private func readAnew(then tell: @escaping (Result<KnownOrders, RedisError>) -> Void) {
        view.doubtRevocations()
        let keys = server.keys
        send([RedisCommand("GET", keys.orders), RedisCommand("SMEMBERS", keys.paused)], tell) { replies in
            if replies[0].orderNumber < 0 {
                return tell(.failure(RedisError(code: .wrongType, message: "the number of the last order is none")))
            }
            // Who runs tasks, and has missed orders, ends whatever of them is to be ended.
            if self.hasRead { self.readTerminated(from: "-") }
            self.hasRead = true
            self.known.number = replies[0].orderNumber
            self.known.paused = Set((replies[1].array ?? []).compactMap(\.text))
            self.readings += 1
            self.readRevoked(from: "0", reading: self.readings)
            tell(.success(self.known))
        }
    }

    private func readTerminated(from start: String) {
        let command = RedisCommand("XRANGE", server.keys.orderLog, start, "+", "COUNT", Self.page)
        send([command]) { result in
            let entries = ((try? result.get()[0])?.array ?? []).compactMap(Order.init)
            self.terminate(entries)
            if entries.count == Self.page, let last = entries.last { self.readTerminated(from: "\(last.number + 1)-0") }
        }
    }

    private func readRevoked(from place: String, reading: Int) {
        guard !isClosed, reading == readings, view.hasRoomForRevocations else { return }
        send([RedisCommand("ZSCAN", server.keys.revoked, place, "COUNT", 1_000)]) { result in
            guard case .success(let replies) = result, let page = replies[0].array, page.count == 2,
                let next = page[0].text
            else {
                if case .success(let replies) = result, let error = replies[0].error {
                    self.server.look(into: error, of: [], by: self.node)
                }
                // Until it succeeds, the server is asked about each task.
                self.server.client.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
                    self.readRevoked(from: "0", reading: reading)
                }
                return
            }
            let fields = page[1].array ?? []
            self.view.learn(
                revoked: stride(from: 0, to: fields.count - 1, by: 2).compactMap { index in
                    guard let id = fields[index].text, let until = fields[index + 1].text.flatMap(Double.init) else {
                        return nil
                    }
                    return (id, until)
                })
            if next != "0" { return self.readRevoked(from: next, reading: reading) }
            if reading == self.readings { self.view.knowsAllRevocations() }
        }
    }

    private func send(
        _ commands: [RedisCommand], _ fail: @escaping (Result<KnownOrders, RedisError>) -> Void,
        then go: @escaping ([RESPValue]) -> Void
    ) {
        send(commands) { result in
            switch result {
            case .success(let replies):
                guard let error = replies.lazy.compactMap(\.error).first else { return go(replies) }
                self.server.look(into: error, of: [], by: self.node)
                fail(.failure(error))
            case .failure(let error): fail(.failure(error))
            }
        }
    }

    private func send(_ commands: [RedisCommand], then tell: @escaping (Result<[RESPValue], RedisError>) -> Void) {
        let peer = server.url.peer
        server.client.submit(commands).assumeIsolated().whenComplete { result in
            tell(result.mapError { RedisError(connectionTo: peer, failed: $0) })
        }
    }
}

/// One entry of the log of orders.
private struct Order {
    let number: Int
    let kind: String
    /// Until when it is to be remembered, in seconds since 1970.
    private let until: Double
    private let what: String

    init?(_ reply: RESPValue) {
        guard let parts = reply.array, parts.count == 2,
            let number = parts[0].text.flatMap({ Int($0.prefix { $0 != "-" }) }),
            let fields = parts[1].array, fields.count == 2, let kind = fields[0].text, let text = fields[1].text,
            let space = text.firstIndex(of: " ")
        else { return nil }
        self.number = number
        self.kind = kind
        until = Double(text[..<space]) ?? 0
        what = String(text[text.index(after: space)...])
    }

    var revoked: [(id: String, until: Double)] {
        guard kind == "revoke" || kind == "terminate" else { return [] }
        return ((try? JSON.decode([String].self, from: Array(what.utf8))) ?? []).map { ($0, until) }
    }

    func change(_ orders: inout KnownOrders) {
        orders.number = number
        switch kind {
        case "pause": orders.paused.insert(what)
        case "resume": orders.paused.remove(what)
        default: break
        }
    }
}
