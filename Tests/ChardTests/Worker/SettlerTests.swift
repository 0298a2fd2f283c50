// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Gathering what is to be settled", .timeLimit(.minutes(1)))
struct SettlerTests {
    let settler = Settler()

    private func conclusion(_ name: String) -> Conclusion {
        let delivery = Delivery(queue: name, payload: [], place: "")
        return Conclusion(Settlement(delivery))
    }

    private func next() async -> [String]? {
        await settler.next()?.map(\.settlement.delivery.queue)
    }

    @Test("what gathered goes in one batch, in order")
    func batch() async {
        for name in ["a", "b", "c"] { settler.add(conclusion(name)) }
        #expect(await next() == ["a", "b", "c"])
        settler.add(conclusion("d"))
        #expect(await next() == ["d"])
    }

    @Test("a single one leaves at once for whoever waits")
    func waiting() async throws {
        async let batch = next()
        try await eventually("somebody waits") { settler.isAwaited }
        settler.add(conclusion("a"))
        settler.add(conclusion("b"))
        #expect(await batch == ["a"])
        #expect(await next() == ["b"])
    }

    @Test("closed, it still gives out what it has, and then ends")
    func close() async {
        settler.add(conclusion("a"))
        settler.close()
        #expect(await next() == ["a"])
        #expect(await next() == nil)
        #expect(await next() == nil)
    }

    @Test("closing lets go whoever waits")
    func closeWaiting() async throws {
        async let batch = next()
        try await eventually("somebody waits") { settler.isAwaited }
        settler.close()
        #expect(await batch == nil)
    }

    @Test("nothing is lost or doubled between many who add and one who takes")
    func crowd() async {
        await withTaskGroup(of: Void.self) { group in
            for adder in 0..<4 {
                group.addTask {
                    for number in 0..<500 {
                        settler.add(conclusion("\(adder)-\(number)"))
                        if number % 50 == 0 { await Task.yield() }
                    }
                }
            }
            var taken: [String] = []
            while taken.count < 2000, let batch = await next() { taken += batch }
            #expect(Set(taken).count == 2000)
            for adder in 0..<4 {
                let own = taken.filter { $0.hasPrefix("\(adder)-") }
                #expect(own == (0..<500).map { "\(adder)-\($0)" })
            }
        }
    }
}
