// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("What doctor finds about workers and what they leave behind", .timeLimit(.minutes(1)))
struct FindingTests {
    private func worker(_ node: String, pid: Int = 1, _ change: (inout Vitals) -> Void = { _ in }) -> WorkerReport {
        var vitals = Vitals()
        vitals.version = Chard.version
        change(&vitals)
        return WorkerReport(
            node: node, identity: "\(node)#\(pid)", pid: pid, queues: ["q"], concurrency: 1, startedAt: 0, seenAt: 0,
            vitals: vitals)
    }

    @Test("workers that are well are one line")
    func fine() {
        #expect(Finding.workers([]).map(\.severity) == [.fine])
        #expect(Finding.workers([worker("a"), worker("b")]).map(\.text) == ["2, all in order"])
    }

    @Test("an intake that stands still, a clock that is off, another version, and one name for two")
    func workers() {
        let found = Finding.workers([
            worker("a") { $0.stalled = 42 }, worker("b") { $0.clockOffset = 30 }, worker("c") { $0.version = nil },
            worker("d") { $0.version = "0.0.1" }, worker("e", pid: 1), worker("e", pid: 2),
        ])
        #expect(found.map(\.severity) == [.danger, .warning, .warning, .warning])
        #expect(found[0].text.contains("a (for 42 s)"), "\(found)")
        #expect(found[1].text.contains("b (-30 s against the broker's)"), "\(found)")
        #expect(found[2].text.contains("c (an old one), d (0.0.1)"), "\(found)")
        #expect(found[3].text.hasSuffix("name: e"), "\(found)")
    }

    @Test("a worker says its version, and whether its clock is off only where it is")
    func vitals() async throws {
        let (app, _) = makeApp()
        try await withWorker(app) { worker in
            #expect(worker.vitals.version == Chard.version)
            #expect(worker.vitals.clockOffset == nil && worker.vitals.stalled == nil)
            try await eventually("others are told") {
                try await app.operator.workers().first?.vitals.version == Chard.version
            }
        }
    }

    @Test("dead letters that come to be, by task; old ones are not growth")
    func growth() async throws {
        let (app, _) = makeApp()
        try await withWorker(app) { worker in
            for name in ["a", "b", "a"] { try await app.send(name) }
            try await eventually("they are dead") { try await app.operator.deadLetters.summaries().count == 3 }
        }
        let letters = try await app.operator.deadLetters.summaries()
        let found = Finding.growing(letters, now: Date())
        #expect(found.first?.text == "growing: 3 in the last hour, 2 of a, 1 of b", "\(found)")
        #expect(Finding.growing(letters, now: Date() + 4_000).isEmpty)
    }

    @Test("schedules that no beat calls")
    func schedules() {
        #expect(Finding.schedules(["a"], beats: 2).severity == .fine)
        let found = Finding.schedules(["a", "b", "c", "d"], beats: 0)
        #expect(found.severity == .warning && found.text.hasSuffix("nothing calls a, b, c and 1 more"))
    }
}
