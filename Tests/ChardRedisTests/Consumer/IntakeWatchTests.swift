// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("The watch over the intake")
struct IntakeWatchTests {
    private let start = ContinuousClock.now

    private func after(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("says nothing while claims and pops answer")
    func moving() {
        var watch = IntakeWatch()
        for second in stride(from: 0.0, to: 300, by: 5) {
            watch.moved(at: after(second))
            let action = watch.looked(at: after(second + 4), isClaiming: true)
            #expect(action == .none)
        }
    }

    @Test(
        "starts the intake anew when nothing answers, and gives up when that does not help; asking again is no answer",
        arguments: [false, true])
    func standing(asksAgain: Bool) {
        var watch = IntakeWatch()
        watch.moved(at: start)
        var actions: [IntakeWatch.Action] = []
        for second in stride(from: 1.0, to: 120, by: 1) {
            let action = watch.looked(at: after(second), isClaiming: true)
            guard action != .none else { continue }
            actions.append(action)
            if asksAgain { watch.begins(at: after(second)) }
        }
        #expect(actions.prefix(4) == [.restart, .restart, .restart, .fail])
    }

    @Test("says since when no answer came, once that is too long: neither starting anew nor asking again is one")
    func standsSince() {
        var watch = IntakeWatch(patience: .seconds(20))
        watch.moved(at: start)
        #expect(watch.standsSince(at: after(20)) == nil)
        for second in stride(from: 1.0, to: 60, by: 1)
        where watch.looked(at: after(second), isClaiming: true) == .restart {
            watch.begins(at: after(second))
        }
        #expect(watch.standsSince(at: after(60)) == start)
        watch.moved(at: after(61))
        #expect(watch.standsSince(at: after(62)) == nil)
        _ = watch.looked(at: after(100), isClaiming: false)
        #expect(watch.standsSince(at: after(101)) == nil)
    }

    @Test("does not mistake a busy worker, or one without a connection, for a standing one")
    func notClaiming() {
        var watch = IntakeWatch()
        watch.moved(at: start)
        let actions = [
            watch.looked(at: after(100), isClaiming: false), watch.looked(at: after(110), isClaiming: true),
        ]
        #expect(actions == [.none, .none])
    }
}
