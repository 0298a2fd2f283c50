// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Waking one who waits", .timeLimit(.minutes(1)))
struct SignalTests {
    let signal = Signal()

    @Test("fired before anybody waits, it is not forgotten, and counts once")
    func before() async throws {
        signal.fire()
        signal.fire()
        await signal.wait()
        let woken = Recorder<Int>()
        let waiter = Task {
            await signal.wait()
            woken.add(1)
        }
        signal.fire()
        await waiter.value
        #expect(woken.count == 1)
    }

    @Test("waiting ends with the waiter's cancellation", arguments: [false, true])
    func cancelled(_ lets: Bool) async {
        let waiter = Task { await signal.wait() }
        if lets { for _ in 0..<100 { await Task.yield() } }
        waiter.cancel()
        await waiter.value
    }

    @Test("no firing is lost between one who waits again and again and one who fires")
    func pairs() async {
        let other = Signal()
        let waiter = Task {
            for _ in 0..<5000 {
                await signal.wait()
                other.fire()
            }
        }
        for _ in 0..<5000 {
            signal.fire()
            await other.wait()
        }
        await waiter.value
    }
}
