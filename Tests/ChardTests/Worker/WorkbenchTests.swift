// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("What a session has in hand", .timeLimit(.minutes(1)))
struct WorkbenchTests {
    let bench = Workbench(concurrency: 2)

    private func deliveries(_ numbers: ClosedRange<Int>) -> [Delivery] {
        numbers.map { Delivery(queue: "q", payload: [], place: "", number: Int64($0)) }
    }

    private func run(_ number: Int) -> Workbench.Run {
        Workbench.Run(
            info: Vitals.Running(id: "\(number)", task: "t", since: Double(number)),
            delivery: Delivery(queue: "q", payload: [], place: "", number: Int64(number)), cancellation: Cancellation())
    }

    @Test("there is room for as many as run at once, then for none until one has ended")
    func room() async {
        #expect(await bench.room() == 2)
        _ = bench.accept(deliveries(1...2))
        async let room = bench.room()
        #expect(await bench.next()?.number == 1)
        #expect(bench.began(0, run(1)))
        #expect(bench.ended(0, after: .seconds(1)))
        #expect(await room == 1)
        #expect(!bench.isIdle)
        bench.settled(1)
        #expect(await bench.next()?.number == 2)
        _ = bench.ended(1, after: .seconds(1))
        bench.settled(1)
        #expect(bench.isIdle)
    }

    @Test("deliveries go out in order, each once")
    func order() async {
        #expect(bench.accept(deliveries(1...5)) == .waiting)
        #expect(bench.accept(deliveries(6...6)) == .started, "somebody watches already")
        for number in 1...6 { #expect(await bench.next()?.number == Int64(number)) }
    }

    @Test("an idle slot gets the next delivery at once")
    func idle() async throws {
        async let first = bench.next()
        async let second = bench.next()
        try await eventually("both slots wait") { bench.idleSlots == 2 }
        #expect(bench.accept(deliveries(1...2)) == .started)
        #expect(await [first?.number, second?.number].compactMap { $0 }.sorted() == [1, 2])
    }

    @Test("runs are known from beginning to end, oldest first")
    func running() {
        _ = bench.accept(deliveries(1...2))
        #expect(bench.began(1, run(2)) && bench.began(0, run(1)))
        #expect(bench.running.map(\.id) == ["1", "2"])
        #expect(bench.ended(0, after: .zero))
        #expect(bench.running.map(\.id) == ["2"])
    }

    @Test("a run that was given up is settled once")
    func abandoned() {
        _ = bench.accept(deliveries(1...1))
        let run = run(1)
        #expect(bench.began(0, run))
        #expect(bench.abandon(run.cancellation))
        #expect(!bench.abandon(run.cancellation), "the second time it is no news")
        bench.settled(1)
        #expect(bench.isIdle)
        #expect(!bench.ended(0, after: .seconds(1)), "the body's own end is not wanted any more")
        #expect(bench.isIdle)
        #expect(!bench.abandon(run.cancellation))
    }

    @Test("cancelling chooses runs, tells the reason, and reaches the slot's task, even one known late")
    func cancel() async {
        let (first, second) = (run(1), run(2))
        _ = bench.accept(deliveries(1...2))
        #expect(bench.began(0, first) && bench.began(1, second))
        let slot = Task<Void, Never> { _ = try? await Task.sleep(for: .seconds(50)) }
        let other = Task<Void, Never> { _ = try? await Task.sleep(for: .seconds(50)) }
        bench.occupy(1, with: other)
        bench.cancel(.softTimeLimit) { $0.info.id == "1" }
        #expect(first.cancellation.reason == .softTimeLimit && second.cancellation.reason == nil)
        bench.occupy(0, with: slot)
        #expect(slot.isCancelled && !other.isCancelled)
        bench.cancel(.shutdown)
        #expect(second.cancellation.reason == .shutdown)
        // It is cancelled from another thread, and then sleeps no longer.
        await other.value
        #expect(other.isCancelled)
        #expect(first.cancellation.reason == .softTimeLimit)
    }

    @Test("told to take no more, it hands out what waits, newest first, and refuses what comes")
    func stopTaking() async {
        _ = bench.accept(deliveries(1...4))
        #expect(await bench.next()?.number == 1)
        #expect(bench.stopTaking().map(\.number) == [4, 3, 2])
        #expect(bench.stopTaking().isEmpty)
        #expect(await bench.room() == nil)
        #expect(bench.accept(deliveries(5...6)) == .refused)
        bench.withdrawn(5)
        bench.settled(5)
        #expect(!bench.isIdle, "one runs")
        async let empty: Void = bench.empty()
        _ = bench.ended(0, after: .zero)
        bench.settled(1)
        await empty
    }

    @Test("what waits behind runs that do not end is stuck, and given out once")
    func stuck() async {
        _ = bench.accept(deliveries(1...4))
        #expect(await bench.next()?.number == 1)
        #expect(bench.takeStuck(patience: .seconds(3600)).isEmpty && bench.isWatched)
        #expect(bench.takeStuck(patience: .zero).map(\.number) == [4, 3, 2])
        #expect(bench.takeStuck(patience: .zero).isEmpty && !bench.isWatched)
    }

    @Test("closing lets everybody go, and nothing starts any more")
    func close() async throws {
        _ = bench.accept(deliveries(1...2))
        async let closed: Void = bench.closed()
        async let empty: Void = bench.empty()
        async let room = bench.room()
        bench.close()
        await closed
        await empty
        #expect(await room == nil)
        #expect(await bench.next() == nil, "what waits stays held, to be handed back")
        #expect(!bench.began(0, run(1)))
        #expect(!bench.isOpen && bench.running.isEmpty)
        await bench.closed()
    }

    @Test("an idle slot is let go too")
    func closeIdle() async throws {
        async let slot = bench.next()
        try await eventually("the slot waits") { bench.idleSlots == 1 }
        bench.close()
        #expect(await slot == nil)
    }

    @Test("tasks on their last chance start one at a time; the others wait apart")
    func lastChances() async throws {
        _ = bench.accept(deliveries(1...2))
        let first = try #require(await bench.next())
        let second = try #require(await bench.next())
        #expect(bench.takeLastChance(first))
        #expect(!bench.takeLastChance(second))
        #expect(await bench.room() == 1, "the one that waits takes no room")
        bench.leaveLastChance()
        #expect(await bench.next() == second)
        #expect(bench.takeLastChance(second))
        _ = bench.accept(deliveries(3...3))
        let third = try #require(await bench.next())
        #expect(!bench.takeLastChance(third))
        #expect(bench.stopTaking() == [third], "it is handed back with the rest")
    }

    @Test("of those that wait for their last chance only as many as run at once take no room; all are given up in time")
    func manyLastChances() async throws {
        _ = bench.accept(deliveries(1...4))
        let first = try #require(await bench.next())
        #expect(bench.takeLastChance(first))
        for _ in 2...4 {
            let delivery = try #require(await bench.next())
            #expect(!bench.takeLastChance(delivery))
        }
        // Of a window of two, the one that runs and the last of those that wait take all.
        #expect(bench.takeParked(patience: .seconds(60)) == [])
        let given = bench.takeParked(patience: .zero)
        #expect(given.count == 3)
        bench.withdrawn(given.count)
        bench.settled(given.count)
        #expect(bench.isIdle == false)
        #expect(await bench.room() == 1)
        #expect(bench.takeStuck(patience: .zero) == [] && !bench.isWatched)
        #expect(bench.watch() && !bench.watch())
    }
}
