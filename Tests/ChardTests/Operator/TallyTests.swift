// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

@testable import Chard

@Suite("What a history comes to")
struct TallyTests {
    private let now = Date(timeIntervalSince1970: 1_764_187_230)

    private func attempt(
        _ end: Attempt.End = .success, ago: Double = 0, ran: Double? = 0.1, waited: Double? = nil, task: String = "add"
    ) -> Attempt {
        var attempt = Attempt(id: "x", end: end, endedAt: now.addingTimeInterval(-ago))
        attempt.task = task
        attempt.queue = "q"
        attempt.startedAt = ran.map { attempt.endedAt.addingTimeInterval(-$0) }
        attempt.sentAt = waited.flatMap { waited in attempt.startedAt?.addingTimeInterval(-waited) }
        return attempt
    }

    private func tally(_ attempts: [Attempt]) -> Tally {
        attempts.reduce(into: Tally()) { $0.add($1, now: now) }
    }

    @Test("Attempts stand in the minute and the quarter of their end")
    func slots() {
        let tally = tally([attempt(), attempt(.failure, ago: 61), attempt(.lost, ago: 61), attempt(ago: 7_200)])
        let hour = tally.hour(until: now)
        #expect(hour.count == 60 && hour[59].counts.succeeded == 1)
        #expect(hour[58].counts.failed == 1 && hour[58].counts.lost == 1)
        #expect(hour.total.over == 2)
        let day = tally.day(until: now)
        #expect(day.count == 96 && day.total.over == 3 && day[95 - 8].counts.succeeded == 1)
        #expect(hour[59].start.timeIntervalSince1970 == 1_764_187_200)
    }

    @Test("What is older than a day is neither counted nor kept")
    func window() {
        var tally = tally([attempt(ago: 86_401), attempt(.lost, ago: 86_000), attempt(ago: 80_000)])
        #expect(tally.told == 3 && tally.byTask["add"]?.counts.over == 1 && tally.losses.count == 1)
        let later = now.addingTimeInterval(90_000)
        tally.forget(now: later)
        #expect(tally.byTask.isEmpty && tally.byQueue.isEmpty && tally.losses.isEmpty)
        #expect(tally.day(until: later).total == TallyCounts())
    }

    @Test("Of too many names the rest stands together, until others are forgotten")
    func names() {
        var tally = tally((0..<1_000).map { attempt(task: "t\($0)") })
        #expect(tally.byTask.count == Tally.mostNames + 1)
        #expect(tally.byTask[Tally.others]?.counts.over == 1_000 - Tally.mostNames)
        let later = now.addingTimeInterval(100_000)
        tally.forget(now: later)
        var fresh = attempt(task: "new")
        fresh.endedAt = later
        tally.add(fresh, now: later)
        #expect(tally.byTask.keys.sorted() == ["new"])
    }

    @Test("Waiting counts from when a task could have run, and at first attempts only")
    func waiting() throws {
        var due = attempt(waited: 3_600)
        due.dueAt = due.startedAt?.addingTimeInterval(-2)
        #expect(abs(try #require(due.wait) - 2) < 1e-3)
        #expect(abs(try #require(attempt(waited: 10).wait) - 9.5) < 1e-3)
        #expect(attempt(waited: 0.2).wait == 0)
        var second = attempt(waited: 10)
        second.number = 2
        #expect(second.wait == nil)
        second = attempt(waited: 10)
        second.losses = 1
        #expect(second.wait == nil && attempt(ran: nil).wait == nil && attempt().wait == nil)
    }

    @Test("What was lost did not run to its end")
    func lost() throws {
        let figures = try #require(tally([attempt(.lost, ran: 100), attempt(ran: 1)]).byTask["add"])
        #expect(figures.run.count == 1 && figures.counts.lost == 1)
    }

    @Test("Shares of a spread are right to a tenth", arguments: [0.002, 0.05, 1, 42, 3_600, 500_000])
    func spread(_ seconds: Double) throws {
        var spread = Spread()
        #expect(spread.quantile(0.5) == nil)
        for place in 1...1_000 { spread.add(seconds * Double(place) / 1_000) }
        for share in [0.5, 0.95, 0.99] where seconds * share > 0.001 {
            let found = try #require(spread.quantile(share))
            #expect(abs(found / (seconds * share) - 1) < 0.1, "\(found) of \(seconds * share)")
        }
        for bad in [-1, .nan, .infinity, 1e300] as [Double] { spread.add(bad) }
        #expect(spread.count == 1_004)
    }

    @Test("A due time is kept with an attempt")
    func stored() throws {
        var attempt = attempt()
        attempt.dueAt = now
        let read = try #require(Attempt(id: "x", stored: attempt.encoded()))
        #expect(read.dueAt == now)
    }
}
