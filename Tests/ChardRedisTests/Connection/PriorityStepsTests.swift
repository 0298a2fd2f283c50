// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardRedis

@Suite("Steps of priority")
struct PriorityStepsTests {
    @Test("take the priorities from their own value on, as kombu's bisection does")
    func indices() throws {
        #expect((-1...10).map { PrioritySteps.usual.index(for: $0) } == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3])
        let ten = try PrioritySteps(Array(0...9), separator: ":")
        #expect((0...9).map { ten.index(for: $0) } == Array(0...9))
        let one = try PrioritySteps([0])
        #expect((0...9).map { one.index(for: $0) } == Array(repeating: 0, count: 10))
        #expect(try PrioritySteps([0, 5]).digits == "0000011111")
    }

    @Test("that are none are refused", arguments: [[], [1, 2], [0, 0], [0, 5, 3], [0, 10], [-1, 0]])
    func wrong(steps: [Int]) throws {
        let error = try #require(throws: BrokerError.self) { try PrioritySteps(steps) }
        #expect(error.code == .misconfigured && error.message.contains("0,3,6,9"), "\(error)")
    }

    @Test("name the lists, and the entries of kombu's routing tables")
    func keys() throws {
        let keys = RedisKeys(prefix: "p:", priorities: try PrioritySteps([0, 2, 9], separator: ":"))
        #expect(keys.waiting(allOf: "q") == ["p:q", "p:q:2", "p:q:9"])
        #expect(keys.ripe(allOf: "q") == ["p:chard:{p:q}:due:0", "p:chard:{p:q}:due:2", "p:chard:{p:q}:due:9"])
        #expect(keys.leased("me", "p:q:9") == "p:chard:{p:q}:leased:9:me")
        #expect(keys.bindingMember("q") == "q::q")
        let unread = Set(keys.unread(of: "q").map(\.key))
        #expect(unread.contains("p:q:3") && unread.contains("p:q\u{06}\u{16}3") && unread.contains("p:q\u{06}\u{16}9"))
        #expect(unread.contains("p:chard:{p:q}:due:3"))
        #expect(unread.isDisjoint(with: keys.waiting(allOf: "q") + keys.ripe(allOf: "q")))
    }

    @Test("stand in a URL under kombu's names")
    func url() throws {
        let url = try RedisURL("redis://host/1?priority_steps=0,1,2&sep=:")
        #expect(url.priorities == (try PrioritySteps([0, 1, 2], separator: ":")))
        #expect(try RedisURL("redis://host?sep=%06%16").priorities == .usual)
        #expect(try RedisURL("redis://host?priority_steps=0,%205").priorities?.steps == [0, 5])
        #expect(try RedisURL("redis://host").priorities == nil)
        for query in ["priority_steps=", "priority_steps=0,x", "priority_steps=3,6", "sep="] {
            let error = try #require(throws: RedisError.self) { try RedisURL("redis://host?\(query)") }
            #expect(error.code == .badURL, "\(query)")
        }
    }

    @Test("are known of a holder that has others than oneself")
    func holders() throws {
        let own = RedisKeys(prefix: "p:", priorities: try PrioritySteps(Array(0...9), separator: ":"))
        let json = Holder(node: "n", queues: ["q"], priorities: own.priorities).text
        let read = try JSON.decode(Holder.self, from: json)
        #expect(read.keys(like: RedisKeys(prefix: "p:")) == own)
        let usual = Holder(node: "n", queues: ["q"]).text
        #expect(String(decoding: usual, as: UTF8.self) == #"{"node":"n","queues":["q"]}"#)
        #expect(try JSON.decode(Holder.self, from: usual).keys(like: own) == RedisKeys(prefix: "p:"))
    }
}
