// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Rate limits")
struct RateLimitTests {
    @Test(
        "are read as Celery reads them",
        arguments: [
            ("10/s", 10), ("10", 10), ("90/m", 1.5), ("36/h", 0.01), ("0.5/s", 0.5), ("10/", 10), ("0", nil), ("", nil),
            ("-1/s", nil), ("10/d", nil), ("x/s", nil), ("inf/s", nil), ("nan/m", nil), ("1/s/s", nil),
        ] as [(String, Double?)])
    func text(_ text: String, _ rate: Double?) {
        #expect(RateLimit(text)?.runsPerSecond == rate)
    }

    @Test("one that is not above zero is told at registration")
    func problem() {
        let app = makeApp().app
        _ = app.task("t", options: TaskOptions(rateLimit: .perSecond(0))) {}
        let error = #expect(throws: AppError.self) { try app.validate() }
        #expect(error?.description.contains("its rate limit is 0/s; it must be above zero") == true)
    }

    /// Plays a broker that gives messages back when their time has come. Returns when each ran.
    private func play(
        _ count: Int, rate: Double, arrivingAt arrivals: (Int) -> Double = { _ in 0 }, until end: Double,
        jitter: Double = 0.01
    ) -> (runs: [Double], visits: Int) {
        var bucket = RateBucket(rate: rate, at: 0)
        var generator = SeededGenerator(state: 7)
        var due = (0..<count).map { (time: arrivals($0), hasWaited: false) }
        var (runs, visits): ([Double], Int) = ([], 0)
        while let next = due.indices.min(by: { due[$0].time < due[$1].time }), due[next].time <= end {
            let message = due.remove(at: next)
            visits += 1
            let luck = Double.random(in: 0...1, using: &generator)
            if let wait = bucket.take(at: message.time, hasWaited: message.hasWaited, luck: luck) {
                due.append((message.time + wait + .random(in: 0...jitter, using: &generator), true))
            } else {
                runs.append(message.time)
            }
        }
        return (runs, visits)
    }

    @Test("a burst runs at its rate, hardly any message comes in vain", arguments: [0.5, 10, 100])
    func burst(_ rate: Double) {
        let count = Int(rate * 20)
        let (runs, visits) = play(count, rate: rate, until: 60)
        #expect(runs.count == count)
        #expect((19...23).contains(runs[count - 1] + 1 / rate))
        #expect(visits <= count * 9 / 4)
        // In any second no more than the rate, and what may have been kept of the time before.
        for start in runs.indices {
            let within = runs[start...].prefix { $0 < runs[start] + 1 }.count
            #expect(Double(within) <= rate * 1.3 + 2)
        }
    }

    @Test("those that come for the first time do not overtake those that wait")
    func order() {
        var bucket = RateBucket(rate: 1, at: 0)
        #expect(bucket.take(at: 0, hasWaited: false, luck: 0) == nil)
        let first = bucket.take(at: 0, hasWaited: false, luck: 0)
        #expect(first == 1)
        #expect(bucket.take(at: 1, hasWaited: false, luck: 0) == 1)
        #expect(bucket.take(at: 1, hasWaited: true, luck: 0) == nil)
    }

    @Test("a heap of a hundred thousand waits no longer than a minute at a time, and costs little")
    func heap() {
        var bucket = RateBucket(rate: 10, at: 0)
        let waits = (0..<100_000).compactMap { _ in bucket.take(at: 0.001, hasWaited: false, luck: 1) }
        #expect(waits.count == 99_999)
        #expect(waits.allSatisfy { $0 <= 200.1 })
        // Spread, rather than all at once.
        let late = waits.sorted()
        #expect(late.last ?? 0 > 190)
    }
}
