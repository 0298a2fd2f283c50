// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("The server's clock, as a worker knows it")
struct ServerClockTests {
    let start = ContinuousClock.now

    func reading(_ wall: Double, after seconds: Double) -> ServerClock.Reading {
        ServerClock.Reading(wall: wall, at: start + .seconds(seconds))
    }

    @Test(
        "a slow answer is no wrong clock, a wrong clock is told by the middle of question and answer",
        arguments: [
            (100.0, 100.0, 100.5, 0.0), (100.0, 100.4, 100.5, 0.0), (100.0, 3_700.5, 101.0, 3_600.0),
            (3_700.0, 100.5, 3_701.0, -3_600.0),
        ])
    func offset(asked: Double, server: Double, answered: Double, offset: Double) {
        var clock = ServerClock()
        let later = reading(answered, after: answered - asked)
        clock.told(server, asked: reading(asked, after: 0), answered: later)
        #expect(clock.offset(at: later) == offset)
        // And so it stays while both go on alike.
        #expect(abs(clock.offset(at: reading(answered + 9, after: answered - asked + 9)) - offset) < 1e-6)
    }

    @Test("this machine's clock may be set in between: the server's has not moved", arguments: [3_600.0, -3_600.0])
    func steps(step: Double) {
        var clock = ServerClock()
        #expect(clock.offset(at: reading(100, after: 0)) == 0)
        clock.told(100, asked: reading(100, after: 0), answered: reading(100, after: 0))
        #expect(abs(clock.offset(at: reading(105 + step, after: 5)) + step) < 1e-6)
    }

    @Test("that the server's clock was set is noticed, and nothing else is taken for that")
    func jumps() {
        var clock = ServerClock()
        #expect(clock.jump(to: 7_300, answered: reading(100, after: 0)) == nil)
        clock.told(100, asked: reading(100, after: 0), answered: reading(100, after: 0))
        // This machine's clock is set, the other is not, though its answer is slow.
        #expect(clock.jump(to: 108, answered: reading(9_000, after: 9)) == nil)
        #expect(clock.jump(to: 7_309, answered: reading(109, after: 9)) == 7_200)
        clock.told(7_309, asked: reading(109, after: 9), answered: reading(109, after: 9))
        #expect(clock.jump(to: 118, answered: reading(118, after: 18)) == -7_200)
    }
}
