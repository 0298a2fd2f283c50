// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import Foundation
import Synchronization
import Testing

@Suite("A clock that is moved by hand", .timeLimit(.minutes(1)))
struct ManualClockTests {
    let clock = ManualClock()

    @Test("it stands still until it is moved, and does not go back")
    func stands() {
        let start = clock.now
        #expect(clock.now == start)
        clock.advance(by: .milliseconds(1_500))
        #expect(clock.now == start + 1.5)
        clock.advance(to: start)
        #expect(clock.now == start + 1.5)
    }

    @Test("alarms ring in order, each at its own time, also those that alarms set")
    func alarms() {
        let start = clock.now
        let rung = Rung()
        clock.alarm(at: start + 3) { [clock] in rung.add("three", clock.now) }
        clock.alarm(at: start + 1) { [clock] in
            rung.add("one", clock.now)
            clock.alarm(at: start + 2) { rung.add("two", clock.now) }
            clock.alarm(at: start - 5) { rung.add("past", clock.now) }
        }
        clock.alarm(at: start + 9) { rung.add("late", start) }
        #expect(clock.nextAlarm == start + 1)
        clock.advance(by: .seconds(5))
        #expect(rung.names == ["one", "past", "two", "three"])
        #expect(rung.times == [start + 1, start + 1, start + 2, start + 3])
        #expect(clock.now == start + 5)
        #expect(clock.nextAlarm == start + 9)
    }

    @Test("a broker on the clock has moved what is due when the clock has been moved")
    func broker() async throws {
        let broker = MemoryBroker(settings: .on(clock))
        let subscription = Subscription(queues: ["q"], node: "n", concurrency: 1, startedAt: clock.now)
        let consumer = try await broker.consumer(for: subscription)
        let claim = Task { try await consumer.claim(upTo: 1) }
        for delay in [86_400.0 * 400, 60] {
            try await broker.send([
                OutgoingMessage(id: "\(delay)", queue: "q", dueAt: clock.now + delay, payload: Array("\(delay)".utf8))
            ])
        }
        clock.advance(by: .seconds(60))
        #expect(try await claim.value.map { String(decoding: $0.payload, as: UTF8.self) } == ["60.0"])
        clock.advance(by: .seconds(86_400 * 400))
        #expect(try await broker.queues().first?.waiting == 1)
        await consumer.close()
    }
}

private final class Rung: Sendable {
    private let rung = Mutex<[(String, Date)]>([])
    var names: [String] { rung.withLock { $0.map(\.0) } }
    var times: [Date] { rung.withLock { $0.map(\.1) } }
    func add(_ name: String, _ time: Date) { rung.withLock { $0.append((name, time)) } }
}
