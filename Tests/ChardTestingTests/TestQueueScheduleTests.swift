// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import Foundation
import Testing

@Suite("A test queue with schedules", .timeLimit(.minutes(1)))
struct TestQueueScheduleTests {
    @Test("time that passes brings ticks, each at its time, and what they call runs")
    func ticks() async throws {
        let app = Chard("shop")
        let backup = app.task("backup") { (_: String) in }
        let report = app.task("report") {}
        app.every(.seconds(60), run: backup, "/home")
        app.cron("30 9 * * *", timeZone: "Europe/Warsaw", run: report)
        // Eight in the morning, UTC: nine in Warsaw.
        let queue = TestQueue(app)
        let start = queue.clock.now
        let runs = try await queue.run(for: .seconds(3600))
        #expect(runs.count == 61)
        #expect(runs.allSatisfy { $0.end == .succeeded })
        #expect(queue.clock.now == start + 3600)
        #expect(queue.enqueued(backup).count == 60)
        let tick = queue.messages(of: "report").first?.headers["chard_tick"]
        #expect(tick == "2027-01-15T08:30:00.000000+00:00")
        #expect(try await app.operator.schedules.pause("backup"))
        #expect(try await queue.run(for: .seconds(600)).isEmpty)
    }
}
