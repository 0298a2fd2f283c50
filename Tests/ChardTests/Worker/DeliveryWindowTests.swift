// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("How many messages to have in hand")
struct DeliveryWindowTests {
    var window = DeliveryWindow(concurrency: 4)

    /// Claims, runs and settles so many tasks of that duration.
    private mutating func work(_ count: Int, of duration: Duration) {
        for _ in 0..<count {
            window.claimed(1)
            window.ended(after: duration)
            window.settled(1)
        }
    }

    @Test("it starts at the concurrency, and takes no more than that")
    func start() {
        var window = window
        #expect(window.size == 4 && window.room == 4)
        window.claimed(3)
        #expect(window.room == 1)
        window.claimed(1)
        #expect(window.room == 0 && window.held == 4)
    }

    @Test("short tasks widen it to what the slots get through in the horizon")
    mutating func widens() {
        work(1, of: .milliseconds(1))
        #expect(window.size == 80)
        work(200, of: .microseconds(200))
        #expect((390...400).contains(window.size))
    }

    @Test("it is never above the maximum nor below the concurrency")
    mutating func bounds() {
        work(500, of: .nanoseconds(1))
        #expect(window.size == DeliveryWindow.maximum)
        work(500, of: .zero)
        #expect(window.size == DeliveryWindow.maximum && window.room == DeliveryWindow.maximum)
        work(5, of: .seconds(3600))
        #expect(window.size == 4)
        var wide = DeliveryWindow(concurrency: 2000)
        wide.claimed(1)
        wide.ended(after: .nanoseconds(1))
        wide.settled(1)
        #expect(wide.size == 2000)
    }

    @Test("one long run shrinks it at once; short ones widen it again slowly")
    mutating func shrinks() {
        work(200, of: .microseconds(100))
        #expect(window.size > 400)
        work(1, of: .milliseconds(20))
        #expect(window.size < 10)
        work(1, of: .seconds(1))
        #expect(window.size == 4)
        work(10, of: .microseconds(100))
        #expect(window.size == 4)
        work(200, of: .microseconds(100))
        #expect(window.size > 400)
    }

    @Test("of a large window a quarter must be free before more is claimed, unless a slot is idle")
    mutating func batches() {
        work(1, of: .milliseconds(1))
        window.claimed(80)
        #expect(window.room == 0)
        for _ in 0..<19 { window.ended(after: .milliseconds(1)) }
        #expect(window.room == 0)
        window.ended(after: .milliseconds(1))
        #expect(window.room == 20, "those whose end is being written take no room")
        window.settled(20)
        #expect(window.room == 20)
        var idle = DeliveryWindow(concurrency: 100)
        idle.claimed(99)
        #expect(idle.room == 1)
    }

    @Test("a broker that is slow to settle stops the claims")
    mutating func slowBroker() {
        work(1, of: .microseconds(1))
        window.claimed(1023)
        for _ in 0..<1023 { window.ended(after: .microseconds(1)) }
        #expect(window.room > 0)
        window.claimed(1)
        window.ended(after: .microseconds(1))
        #expect(window.room == 0)
        window.settled(1024)
        #expect(window.room == DeliveryWindow.maximum && window.held == 0 && window.ended == 0)
    }

    @Test("what is withdrawn makes room, and nothing is learnt from it")
    mutating func withdrawn() {
        window.claimed(4)
        window.withdrawn(3)
        #expect(window.size == 4 && window.room == 3 && window.held == 4)
        window.settled(3)
        #expect(window.room == 3 && window.held == 1)
    }

    @Test("what is kept aside takes no room")
    mutating func parked() {
        window.claimed(4)
        window.parked(1)
        #expect(window.room == 1 && window.held == 3)
    }

    @Test("runs that do not end shrink it before they do")
    mutating func stalled() {
        window.stalled(for: .seconds(1))
        #expect(window.size == 4)
        work(100, of: .microseconds(100))
        window.claimed(1)
        window.stalled(for: .milliseconds(500))
        #expect(window.size == 4 && window.room == 3)
        window.stalled(for: .microseconds(1))
        #expect(window.size == 4)
    }
}
