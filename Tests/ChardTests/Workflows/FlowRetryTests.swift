// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("Flows that go on from what has failed", .timeLimit(.minutes(2)))
struct FlowRetryTests {
    /// Whether the tasks that may fail do.
    private final class Weather: Sendable {
        private let bad = Mutex(true)
        var isBad: Bool {
            get { bad.withLock { $0 } }
            set { bad.withLock { $0 = newValue } }
        }
    }

    let app: Chard
    let broker: MemoryBroker
    let double: TaskHandle<Int, Int>
    let add: TaskHandle<Int, Int, Int>
    let fragile: TaskHandle<Int, Int>
    let runs = Recorder<String>()
    private let weather = Weather()

    init() {
        (app, broker) = makeApp()
        let (runs, weather) = (runs, weather)
        double = app.task("double") { (x: Int) in
            runs.add("double \(x)")
            return 2 * x
        }
        add = app.task("add") { (x: Int, y: Int) in
            runs.add("add \(x) \(y)")
            return x + y
        }
        fragile = app.task("fragile") { (x: Int) in
            if weather.isBad { throw TaskError("ValueError", "no \(x)") }
            return x + 1
        }
    }

    private func over(_ workflow: WorkflowResult) async throws -> WorkflowReport {
        try await eventually("it is over") { try await workflow.report()?.state.isOver == true }
        return try #require(try await workflow.report())
    }

    @Test(
        "what has succeeded does not run again, what has failed does, and then what waits for it; as often as it is asked"
    )
    func retry() async throws {
        var flow = Flow(app)
        let first = try flow.step("first", fragile.signature(1))
        let good = try flow.step("good", double.signature(10))
        let inner = try flow.step("inner", fragile, taking: good)
        let both = try flow.step("both", add, taking: first, good)
        let last = try flow.step("last", add, taking: both, inner)
        let side = try flow.step("side", double, taking: good)
        let result = try await flow.enqueue(returning: last)
        let workflow = app.workflow(try #require(result.workflowID))
        try await withWorker(app, concurrency: 4) { _ in
            #expect(try await over(workflow).progress.failed == 4)
            #expect(try await workflow.retry().count == 2)
            #expect(try await over(workflow).progress.failed == 4)
            weather.isBad = false
            #expect(try await workflow.retry().count == 2)
            #expect(try await result.value(timeout: .seconds(20)) == 2 + 20 + 21)
            let report = try await over(workflow)
            #expect(report.state == .succeeded && report.progress.succeeded == 6, "\(report)")
            #expect(runs.all.sorted() == ["add 2 20", "add 22 21", "double 10", "double 20"], "\(runs.all)")
            #expect(try await workflow.retry().isEmpty)
            _ = side
        }
        try await broker.expectEmpty()
    }

    @Test("a signal is waited for anew, whether its time was over or something else had failed")
    func signals() async throws {
        var flow = Flow(app)
        let first = try flow.step("first", fragile.signature(1))
        let late = try flow.signal("late", of: Int.self, timeout: .milliseconds(100))
        let behind = try flow.signal("behind", of: Int.self, after: ["first"])
        let both = try flow.step("both", add, taking: late, behind)
        let last = try flow.step("last", add, taking: both, first)
        let result = try await flow.enqueue(returning: last)
        let workflow = app.workflow(try #require(result.workflowID))
        try await withWorker(app, concurrency: 4) { _ in
            // Its own outcome is missing for as long as the signal is.
            let running = await thrown(AppError.self) { try await workflow.retry() }
            #expect(running?.description.contains("still runs") == true)
            try await workflow.signal("behind", with: 7)
            #expect(try await over(workflow).progress.failed == 5)
            weather.isBad = false
            try await workflow.retry()
            try await workflow.signal("late", with: 30)
            try await workflow.signal("behind", with: 7)
            #expect(try await result.value(timeout: .seconds(20)) == 39)
        }
        try await broker.expectEmpty()
    }
}
