// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("How many lines a log gets")
struct LogBudgetTests {
    private let start = ContinuousClock.now

    private func written(_ budget: inout LogBudget, _ kind: LogBudget.Kind, _ count: Int, at seconds: Double) -> Int {
        (0..<count).count { _ in
            if case .write = budget.ask(kind, at: start + .seconds(seconds)) { true } else { false }
        }
    }

    @Test("ten seconds' worth at once, then so many a second; the rest is counted")
    func rate() {
        var budget = LogBudget(linesPerSecond: 5)
        let kind = LogBudget.Kind(task: "t", ending: .badly)
        #expect(written(&budget, kind, 1_000_000, at: 0) == 50)
        #expect(written(&budget, kind, 1_000, at: 2) == 10)
        let omissions = budget.takeOmissions()
        #expect(omissions.map(\.count) == [1_000_000 - 50 + 990])
        #expect(omissions.map(\.kind) == [kind])
        #expect(budget.takeOmissions().isEmpty)
        #expect(written(&budget, kind, 1_000, at: 1_000) == 50)
    }

    @Test("one task's failures keep out neither another's nor its own successes")
    func apart() {
        var budget = LogBudget(linesPerSecond: 1)
        _ = written(&budget, .init(task: "t", ending: .badly), 100, at: 0)
        #expect(written(&budget, .init(task: "t", ending: .well), 5, at: 0) == 5)
        #expect(written(&budget, .init(task: "u", ending: .badly), 5, at: 0) == 5)
    }

    @Test("names without end share one budget, and no memory")
    func names() {
        var budget = LogBudget(linesPerSecond: 1)
        let lines = (0..<100_000).reduce(0) { $0 + written(&budget, .init(task: "\($1)", ending: .badly), 1, at: 0) }
        #expect(lines == LogBudget.mostKinds + 10)
        #expect(budget.takeOmissions().map(\.count) == [100_000 - lines])
    }
}
