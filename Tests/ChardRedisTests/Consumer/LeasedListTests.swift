// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardRedis

@Suite("The order of a leased list")
struct LeasedListTests {
    private func delivery(_ number: Int64, size: Int = 10, excerptOf: Int? = nil) -> Delivery {
        Delivery(
            queue: "celery", payload: [UInt8](repeating: UInt8(number), count: size), place: "celery", number: number,
            excerptOf: excerptOf)
    }

    private func list(_ numbers: ClosedRange<Int64>) -> LeasedList {
        var list = LeasedList()
        for number in numbers { list.add(delivery(number)) }
        return list
    }

    private func cut(_ list: inout LeasedList, _ numbers: [Int64]) -> LeasedList.Cut? {
        list.cut(numbers.map { delivery($0) })
    }

    @Test("the oldest are cut by their count, in whatever order they ended")
    func oldest() {
        var list = list(1...5)
        #expect(cut(&list, [2, 1, 3]) == .init(count: 3, newest: .init(delivery(3).payload), kept: []))
        #expect(cut(&list, [4, 5]) == .init(count: 2, newest: .init(delivery(5).payload), kept: []))
    }

    @Test("those in between that go on are put back where they were")
    func kept() {
        var list = list(1...7)
        #expect(
            cut(&list, [2, 4, 5])
                == .init(count: 5, newest: .init(delivery(5).payload), kept: [3, 1].map { delivery($0).payload }))
        #expect(cut(&list, [1, 3]) == .init(count: 2, newest: .init(delivery(3).payload), kept: []))
    }

    @Test("more to put back than to drop, in number or in bytes, is not worth it")
    func worth() {
        var few = list(1...5)
        #expect(cut(&few, [4, 5]) == nil)
        var heavy = LeasedList()
        heavy.add(delivery(1, size: 1_000))
        for number in Int64(2)...5 { heavy.add(delivery(number)) }
        #expect(cut(&heavy, [2, 3, 4]) == nil)
    }

    @Test("no more is put back than Lua takes apart at once")
    func most() {
        for (running, isCut) in [(999, true), (1_000, false)] {
            var list = LeasedList()
            let all = (1...Int64(running + 2_000)).map { number in
                Delivery(queue: "q", payload: Array("message \(number)".utf8), place: "q", number: number)
            }
            for delivery in all { list.add(delivery) }
            let cut = list.cut(all.dropFirst(running))
            #expect((cut != nil) == isCut)
        }
    }

    @Test("of two equal messages neither marks where a cut ends")
    func twins() {
        var list = LeasedList()
        for number in Int64(1)...3 {
            list.add(Delivery(queue: "q", payload: Array("same".utf8), place: "q", number: number))
        }
        let one = Delivery(queue: "q", payload: Array("same".utf8), place: "q", number: 1)
        #expect(list.cut([one]) == nil)
    }

    @Test("what was removed by itself is not counted")
    func removed() {
        var list = list(1...5)
        list.remove(delivery(2))
        #expect(cut(&list, [1, 3, 4]) == .init(count: 3, newest: .init(delivery(4).payload), kept: []))
    }

    @Test("nothing is cut while a message is held whose place is not known, or none that is not held")
    func strangers() {
        var list = list(1...3)
        list.add(delivery(0))
        #expect(cut(&list, [1, 2]) == nil)
        list.remove(delivery(0))
        #expect(cut(&list, [1, 9]) == nil)
        #expect(cut(&list, [1, 1]) == nil)
        list.add(delivery(4, excerptOf: 1_000_000))
        #expect(cut(&list, [1, 2]) == nil)
        list.remove(delivery(4))
        #expect(cut(&list, [1, 2])?.count == 2)
    }

    @Test("after a doubt nothing is cut until all that was held then is gone")
    func doubt() {
        var list = list(1...3)
        #expect(cut(&list, [1, 2])?.count == 2)
        list.doubt(stillHeld: 2)
        list.add(delivery(4))
        for number in Int64(1)...3 {
            #expect(cut(&list, [4]) == nil)
            list.remove(delivery(number))
        }
        #expect(cut(&list, [4])?.count == 1)
    }

    @Test("whatever comes and goes, a cut takes exactly what was meant", arguments: 0..<200)
    func model(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        var known = LeasedList()
        /// The list as the server has it, oldest first.
        var server: [Delivery] = []
        var number: Int64 = 0
        for _ in 0..<60 {
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                number += 1
                let isStranger = Int.random(in: 0..<40, using: &random) == 0
                let new = Delivery(
                    queue: "celery", payload: Array("message \(number)".utf8), place: "celery",
                    number: isStranger ? 0 : number)
                known.add(new)
                // Who came over another connection may stand elsewhere than was thought.
                server.insert(new, at: isStranger ? .random(in: 0...server.count, using: &random) : server.count)
            }
            let ended = server.prefix(10).filter { _ in Bool.random(using: &random) }
            let rest = server.filter { !ended.contains($0) }
            if let cut = known.cut(ended) {
                #expect(LeasedList.Mark(server[cut.count - 1].payload) == cut.newest)
                let left = cut.kept.reversed() + server.dropFirst(cut.count).map(\.payload)
                #expect(left == rest.map(\.payload))
            } else {
                for delivery in ended { known.remove(delivery) }
            }
            server = rest
        }
        #expect(known.cut(server) != nil || server.isEmpty || server.contains { $0.number == 0 })
    }
}
