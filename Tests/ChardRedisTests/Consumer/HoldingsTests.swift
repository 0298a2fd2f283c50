// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardRedis

@Suite("What a consumer knows it holds")
struct HoldingsTests {
    private func message(_ tag: String) -> [UInt8] {
        Array("{\"body\":\"\(String(repeating: "x", count: 200))\",\"tag\":\"\(tag)\"}".utf8)
    }

    private func delivery(_ tag: String) -> Delivery {
        Delivery(queue: "celery", payload: message(tag), place: "celery")
    }

    @Test("messages that nobody told of are found in a leased list")
    func unknown() {
        var holdings = Holdings()
        holdings.add([delivery("a"), delivery("b")])
        holdings.beginReading()
        let unknown = holdings.unknown(in: [delivery("a"), delivery("x"), delivery("b")])
        #expect(unknown == [delivery("x")])
    }

    @Test("a message that was settled while its list was read is not taken for a new one")
    func settledMeanwhile() {
        var holdings = Holdings()
        holdings.add([delivery("a")])
        holdings.beginReading()
        holdings.remove(delivery("a"))
        let unknown = holdings.unknown(in: [delivery("a")])
        #expect(unknown.isEmpty)
    }

    @Test("of two equal messages, the one that nobody told of is found")
    func twins() {
        var holdings = Holdings()
        holdings.add([delivery("a")])
        holdings.beginReading()
        let unknown = holdings.unknown(in: [delivery("a"), delivery("a")])
        #expect(unknown == [delivery("a")])
    }

    @Test("the late announcement of an adopted message is known for what it is, once")
    func adopted() {
        var holdings = Holdings()
        holdings.adopt([delivery("a")], isPopping: true)
        let answers = ["a", "a", "b"].map { holdings.wasAdopted(delivery($0)) }
        #expect(answers == [true, false, false])
    }

    @Test("the same message is new again once the pop that might have announced it has ended, or if there was none")
    func adoptedAndBack() {
        var holdings = Holdings()
        holdings.adopt([delivery("a")], isPopping: true)
        holdings.announcesNothing(from: "celery")
        holdings.adopt([delivery("b")], isPopping: false)
        var answers = ["a", "b"].map { holdings.wasAdopted(delivery($0)) }
        holdings.adopt([delivery("c"), delivery("d")], isPopping: true)
        answers += ["c", "d"].map { holdings.wasAdopted(delivery($0)) }
        #expect(answers == [false, false, true, false])
    }
}
