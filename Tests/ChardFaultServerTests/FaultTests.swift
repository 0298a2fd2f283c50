// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FaultKit
import Testing

/// The short form of the fault suite; `make faults` plays the long one.
@Suite("When things break", .timeLimit(.minutes(8)))
struct FaultTests {
    @Test("nothing is lost, nothing runs twice at once, nothing falls silent", arguments: FaultRow.all)
    func row(_ row: FaultRow) async throws {
        let outcome = await Stage.shared.run { await row.run(rounds: row.shortRounds, isLong: false, atOnce: 2) }
        #expect(row.violations(of: outcome) == [], "\(row): \(row.about)")
        #expect(outcome.rounds == row.shortRounds)
    }
}

/// Lets a few rows play at once: most of their time is waiting, but all of them together would starve each other.
private actor Stage {
    static let shared = Stage()

    private var free = 6
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func run<Value: Sendable>(_ body: @Sendable () async -> Value) async -> Value {
        if free == 0 { await withCheckedContinuation { waiting.append($0) } } else { free -= 1 }
        let value = await body()
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
        return value
    }
}
