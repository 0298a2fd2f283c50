// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("Who listens to what")
struct SubscriptionTableTests {
    private typealias Table = SubscriptionTable<String>

    private var table = SubscriptionTable<String>()
    private let news = SubscriptionTable<String>.Topic(isPattern: false, name: "news")
    private let any = SubscriptionTable<String>.Topic(isPattern: true, name: "n*")

    private func push(_ words: String..., count: Int? = nil) -> RESPValue {
        .array(words.map { .string(Array($0.utf8)) } + (count.map { [.integer($0)] } ?? []))
    }

    @Test("Listeners of one topic share one request, and hear every message")
    mutating func sharing() {
        #expect(table.add("a", id: 1, to: news) == (true, false))
        table.sent(.init(subscribes: true, topics: [news]))
        #expect(table.add("b", id: 2, to: news) == (false, false))
        guard case .confirmed(let confirmed) = table.received(push("subscribe", "news", count: 1)) else {
            Issue.record("the confirmation confirms")
            return
        }
        #expect(confirmed.sorted() == ["a", "b"])
        #expect(table.add("c", id: 3, to: news) == (false, true))
        guard case .message(let heard, let channel, let payload) = table.received(push("message", "news", "x")) else {
            Issue.record("the message is one")
            return
        }
        #expect(heard.sorted() == ["a", "b", "c"])
        #expect(channel == Array("news".utf8))
        #expect(payload == Array("x".utf8))
        #expect(table.remove(id: 1) == nil)
        #expect(table.remove(id: 1) == nil)
        #expect(table.remove(id: 2) == nil)
        #expect(table.remove(id: 3) == news)
        #expect(table.isEmpty)
    }

    @Test("A message matches channel and pattern apart")
    mutating func patterns() {
        _ = table.add("channel", id: 1, to: news)
        _ = table.add("pattern", id: 2, to: any)
        guard case .message(let heard, let channel, _) = table.received(push("pmessage", "n*", "news", "x")) else {
            Issue.record("the message is one")
            return
        }
        #expect(heard == ["pattern"])
        #expect(channel == Array("news".utf8))
        #expect(table.requestsForAll().map { $0.verb(for: $0.topics[0]) } == ["subscribe", "psubscribe"])
    }

    @Test("A topic that was left and asked for again is confirmed by the later answer only")
    mutating func askedAgain() {
        _ = table.add("early", id: 1, to: news)
        table.sent(.init(subscribes: true, topics: [news]))
        #expect(table.remove(id: 1) == news)
        table.sent(.init(subscribes: false, topics: [news]))
        _ = table.add("late", id: 2, to: news)
        table.sent(.init(subscribes: true, topics: [news]))
        #expect(table.received(push("subscribe", "news", count: 1)).isNone)
        #expect(table.received(push("unsubscribe", "news", count: 0)).isNone)
        guard case .confirmed(["late"]) = table.received(push("subscribe", "news", count: 1)) else {
            Issue.record("the second answer confirms")
            return
        }
    }

    @Test("After a loss everything is asked for again, and those who were heard are told")
    mutating func reconnect() {
        _ = table.add("heard", id: 1, to: news)
        table.sent(.init(subscribes: true, topics: [news]))
        _ = table.received(push("subscribe", "news", count: 1))
        _ = table.add("waiting", id: 2, to: any)
        #expect(table.lost() == ["heard"])
        #expect(table.lost().isEmpty)
        for request in table.requestsForAll() { table.sent(request) }
        guard case .confirmed(["heard"]) = table.received(push("subscribe", "news", count: 1)),
            case .confirmed(["waiting"]) = table.received(push("psubscribe", "n*", count: 2))
        else {
            Issue.record("both are confirmed anew")
            return
        }
    }

    @Test("Thousands of topics are asked for in requests of bounded size")
    mutating func chunks() {
        for id in 0..<1201 { _ = table.add("x", id: id, to: .init(isPattern: false, name: "\(id)")) }
        let requests = table.requestsForAll()
        #expect(requests.map(\.topics.count) == [500, 500, 201])
        #expect(Set(requests.flatMap(\.topics)).count == 1201)
    }

    @Test("A refusal of many asks for each alone; a refusal of one ends it")
    mutating func refusal() {
        let secret = Table.Topic(isPattern: false, name: "secret")
        _ = table.add("a", id: 1, to: news)
        _ = table.add("b", id: 2, to: secret)
        table.sent(.init(subscribes: true, topics: [news, secret]))
        let error = RESPValue.error(RedisError(reply: "NOPERM no"))
        guard case .askAgain(let requests) = table.received(error) else {
            Issue.record("each is to be asked for alone")
            return
        }
        #expect(requests.map(\.topics) == [[news], [secret]])
        for request in requests { table.sent(request) }
        guard case .confirmed(["a"]) = table.received(push("subscribe", "news", count: 1)),
            case .refused(["b"], let refusal) = table.received(error)
        else {
            Issue.record("one is confirmed, one refused")
            return
        }
        #expect(refusal.code == .noPermission)
        #expect(table.requestsForAll().map(\.topics) == [[news]])
    }

    @Test("Answers to signs of life are nobody's message", arguments: [["pong", ""], ["PONG"]])
    mutating func pong(words: [String]) {
        _ = table.add("a", id: 1, to: news)
        table.sent(.init(subscribes: true, topics: [news]))
        #expect(table.received(.array(words.map { .string(Array($0.utf8)) })).isNone)
        #expect(table.received(.string(Array("PONG".utf8))).isNone)
    }
}

extension SubscriptionTable.Event {
    fileprivate var isNone: Bool {
        if case .none = self { true } else { false }
    }
}
