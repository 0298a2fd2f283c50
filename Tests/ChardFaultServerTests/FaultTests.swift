// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FaultKit
import Testing

/// The short form of the fault suite; `make faults` plays the long one. Most of a row's time is waiting, but all of them
/// together would starve each other.
@Suite("When things break", .atOnce(6), .timeLimit(.minutes(8)))
struct FaultTests {
    @Test("nothing is lost, nothing runs twice at once, nothing falls silent", arguments: FaultRow.all)
    func row(_ row: FaultRow) async throws {
        let outcome = await row.run(rounds: row.shortRounds, isLong: false, atOnce: 2)
        #expect(row.violations(of: outcome) == [], "\(row): \(row.about)")
        #expect(outcome.rounds == row.shortRounds)
    }
}
