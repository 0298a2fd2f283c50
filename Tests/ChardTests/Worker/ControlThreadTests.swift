// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("A thread that bodies cannot hold up", .fewAtATime, .timeLimit(.minutes(3)))
struct ControlThreadTests {
    let control = ControlThread()

    @Test("it runs what prefers it, one after the other, on one thread")
    func runs() async {
        let crowd = Crowd()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask(executorPreference: control) {
                    crowd.enter()
                    crowd.leave()
                    await Task.yield()
                    crowd.enter()
                    crowd.leave()
                }
            }
        }
        #expect(crowd.most == 1)
        control.stop()
    }

    @Test("sleepers wake in the order of their times, not early")
    func order() async throws {
        let order = Recorder<Int>()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in [30, 10, 20, 1 << 20] {
                group.addTask(executorPreference: control) {
                    try await control.sleep(until: start + .milliseconds(number))
                    #expect(.now - start >= .milliseconds(number))
                    order.add(number)
                }
            }
            for _ in 0..<3 { try await group.next() }
            group.cancelAll()
        }
        #expect(order.all == [10, 20, 30])
        control.stop()
    }

    @Test("sleeping ends with its task, before or after it began", arguments: [0, 1, 20])
    func cancelled(milliseconds: Int) async {
        let sleeper = Task { try await control.sleep(for: .seconds(1 << 40)) }
        if milliseconds > 0 { try? await Task.sleep(for: .milliseconds(milliseconds)) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        control.stop()
    }

    @Test("the end of the thread wakes who sleeps, and who comes later does not sleep")
    func stopped() async throws {
        let sleeper = Task(executorPreference: control) { try await control.sleep(for: .seconds(3600)) }
        try await control.sleep(for: .milliseconds(1))
        control.stop()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        await #expect(throws: CancellationError.self) { try await control.sleep(for: .seconds(3600)) }
    }

    @Test("it keeps time while all of Swift's own threads compute")
    func busy() async throws {
        let woke = Recorder<ContinuousClock.Instant>()
        let start = ContinuousClock.now
        let sleeper = Task(executorPreference: control) {
            try await control.sleep(until: start + .milliseconds(50))
            woke.add(.now)
        }
        let spinners = (0..<ProcessInfo.processInfo.activeProcessorCount).map { _ in
            Task {
                let end = ContinuousClock.now + .milliseconds(400)
                while ContinuousClock.now < end {}
                return ContinuousClock.now
            }
        }
        var ends: [ContinuousClock.Instant] = []
        for spinner in spinners { ends.append(await spinner.value) }
        try await sleeper.value
        #expect(try #require(woke.all.first) < #require(ends.min()))
        control.stop()
    }
}
