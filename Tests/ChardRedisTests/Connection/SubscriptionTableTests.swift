// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("Who listens to what")
struct SubscriptionTableTests {
    private typealias Table = SubscriptionTable<String>

    private var table = SubscriptionTable<String>()
    private let news = "news"
    private let other = "other"

    private func push(_ words: String..., count: Int? = nil) -> RESPValue {
        .array(words.map { .string(Array($0.utf8)) } + (count.map { [.integer($0)] } ?? []))
    }

    @Test("Listeners of one channel share one request, and hear every message")
    mutating func sharing() {
        #expect(table.add("a", id: 1, to: news) == (true, false))
        table.sent(.init(subscribes: true, channels: [news]))
        #expect(table.add("b", id: 2, to: news) == (false, false))
        guard case .confirmed(let confirmed) = table.received(push("subscribe", "news", count: 1)) else {
            Issue.record("the confirmation confirms")
            return
        }
        #expect(confirmed.sorted() == ["a", "b"])
        #expect(table.add("c", id: 3, to: news) == (false, true))
        guard case .message(let heard, let payload) = table.received(push("message", "news", "x")) else {
            Issue.record("the message is one")
            return
        }
        #expect(heard.sorted() == ["a", "b", "c"])
        #expect(payload == Array("x".utf8))
        #expect(table.remove(id: 1) == nil)
        #expect(table.remove(id: 1) == nil)
        #expect(table.remove(id: 2) == nil)
        #expect(table.remove(id: 3) == news)
        #expect(table.isEmpty)
    }

    @Test("A channel that was left and asked for again is confirmed by the later answer only")
    mutating func askedAgain() {
        _ = table.add("early", id: 1, to: news)
        table.sent(.init(subscribes: true, channels: [news]))
        #expect(table.remove(id: 1) == news)
        table.sent(.init(subscribes: false, channels: [news]))
        _ = table.add("late", id: 2, to: news)
        table.sent(.init(subscribes: true, channels: [news]))
        #expect(table.received(push("subscribe", "news", count: 1)).isNone)
        #expect(table.received(push("unsubscribe", "news", count: 0)).isNone)
        guard case .confirmed(["late"]) = table.received(push("subscribe", "news", count: 1)) else {
            Issue.record("the second answer confirms")
            return
        }
    }

    @Test("After a loss everything is asked for again, and confirmed anew")
    mutating func reconnect() {
        _ = table.add("heard", id: 1, to: news)
        table.sent(.init(subscribes: true, channels: [news]))
        _ = table.received(push("subscribe", "news", count: 1))
        _ = table.add("waiting", id: 2, to: other)
        table.lost()
        for channel in [news, other] { table.sent(.init(subscribes: true, channels: [channel])) }
        guard case .confirmed(["heard"]) = table.received(push("subscribe", "news", count: 1)),
            case .confirmed(["waiting"]) = table.received(push("subscribe", other, count: 2))
        else {
            Issue.record("both are confirmed anew")
            return
        }
    }

    @Test("Thousands of channels are asked for in requests of bounded size")
    mutating func chunks() {
        for id in 0..<1201 { _ = table.add("x", id: id, to: "\(id)") }
        let requests = table.requestsForAll()
        #expect(requests.map(\.channels.count) == [500, 500, 201])
        #expect(Set(requests.flatMap(\.channels)).count == 1201)
    }

    @Test("A refusal of many asks for each alone; a refusal of one ends it")
    mutating func refusal() {
        let secret = "secret"
        _ = table.add("a", id: 1, to: news)
        _ = table.add("b", id: 2, to: secret)
        table.sent(.init(subscribes: true, channels: [news, secret]))
        let error = RESPValue.error(RedisError(reply: "NOPERM no"))
        guard case .askAgain(let requests) = table.received(error) else {
            Issue.record("each is to be asked for alone")
            return
        }
        #expect(requests.map(\.channels) == [[news], [secret]])
        for request in requests { table.sent(request) }
        guard case .confirmed(["a"]) = table.received(push("subscribe", "news", count: 1)),
            case .refused(["b"], let refusal) = table.received(error)
        else {
            Issue.record("one is confirmed, one refused")
            return
        }
        #expect(refusal.code == .noPermission)
        #expect(table.requestsForAll().map(\.channels) == [[news]])
    }

    @Test("Answers to signs of life are nobody's message", arguments: [["pong", ""], ["PONG"]])
    mutating func pong(words: [String]) {
        _ = table.add("a", id: 1, to: news)
        table.sent(.init(subscribes: true, channels: [news]))
        #expect(table.received(.array(words.map { .string(Array($0.utf8)) })).isNone)
        #expect(table.received(.string(Array("PONG".utf8))).isNone)
    }
}

extension SubscriptionTable.Event {
    fileprivate var isNone: Bool {
        if case .none = self { true } else { false }
    }
}
