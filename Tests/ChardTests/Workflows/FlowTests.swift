// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardTesting
import Foundation
import Testing

@testable import Chard

@Suite("Flows of named steps", .timeLimit(.minutes(2)))
struct FlowTests {
    let app: Chard
    let broker: MemoryBroker
    let double: TaskHandle<Int, Int>
    let add: TaskHandle<Int, Int, Int>
    let fail: TaskHandle<Int, Int>
    let runs = Recorder<Int>()

    init() {
        (app, broker) = makeApp()
        double = app.task("double") { [runs] (x: Int) in
            runs.add(x)
            return 2 * x
        }
        add = app.task("add") { (x: Int, y: Int) in x + y }
        fail = app.task("fail") { (x: Int) -> Int in throw TaskError("ValueError", "no \(x)") }
    }

    @Test("a step takes the results of those that it names, and runs once")
    func diamond() async throws {
        var flow = Flow(app)
        let start = try flow.step("start", double.signature(1))
        let left = try flow.step("left", double, taking: start)
        let right = try flow.step("right", double, taking: start)
        let both = try flow.step("both", add, taking: left, right)
        try flow.step("last", double.signature(100), after: ["both", "start"])
        let result = try await flow.enqueue(returning: both)
        try await withWorker(app, concurrency: 4) { _ in
            #expect(try await result.value(timeout: .seconds(20)) == 8)
            let workflow = app.workflow(try #require(result.workflowID))
            try await eventually("the last step is over") { try await workflow.progress().succeeded == 5 }
            let report = try #require(try await workflow.report())
            #expect(report.state == .succeeded && report.progress.description == "5 of 5 done")
            #expect(report.tasks.map(\.task).sorted().first == "both: add")
            let ids = Dictionary(uniqueKeysWithValues: report.tasks.map { ($0.id, $0.task.prefix { $0 != ":" }) })
            let edges = Set(
                report.tasks.flatMap { task in task.after.map { "\(ids[$0] ?? "?") \(ids[task.id] ?? "?")" } })
            #expect(
                edges == ["start left", "start right", "left both", "right both", "both last", "start last"],
                "the report knows what waits for what")
            let both = report.tasks.first { $0.task == "both: add" }
            let before = report.tasks.filter { both?.after.contains($0.id) == true }.compactMap(\.endedAt).max()
            #expect(before != nil && both?.since == before, "a step could begin once what it waits for was over")
            #expect(runs.all.sorted() == [1, 2, 2, 100])
        }
        try await broker.expectEmpty()
    }

    @Test("what waits for a step that has failed fails with its error, and so on to the end")
    func failure() async throws {
        var flow = Flow(app)
        let bad = try flow.step("bad", fail.signature(7))
        let good = try flow.step("good", double.signature(1))
        let middle = try flow.step("middle", add, taking: bad, good)
        let last = try flow.step("last", double, taking: middle)
        let result = try await flow.enqueue(returning: last)
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "ValueError" && error?.message == "no 7")
            let workflow = app.workflow(try #require(result.workflowID))
            let report = try #require(try await workflow.report())
            #expect(report.state == .failed && report.progress.failed == 3 && report.progress.succeeded == 1)
        }
        try await broker.expectEmpty()
    }

    @Test("a wide and deep flow: a hundred steps in ten layers, each waiting for all of the one before")
    func layers() async throws {
        var flow = Flow(app)
        var before: [String] = []
        for layer in 0..<10 {
            var names: [String] = []
            for number in 0..<10 {
                names.append("\(layer)-\(number)")
                try flow.step(names[number], double.signature(layer), after: before)
            }
            before = names
        }
        let end = try flow.step("end", double.signature(21), after: before)
        let result = try await flow.enqueue(returning: end)
        try await withWorker(app, concurrency: 4) { _ in
            let value = try await result.value(timeout: .seconds(60))
            #expect(value == 42)
            #expect(runs.count == 101)
        }
        try await broker.expectEmpty()
    }

    @Test("cycles, unknown steps and doubled names are errors at the call")
    func mistakes() async throws {
        var flow = Flow(app)
        let a = try flow.step("a", double.signature(1), after: ["c"])
        try flow.step("b", double.signature(1), after: ["a"])
        try flow.step("c", double.signature(1), after: ["b"])
        let cycle = flow
        let circular = await thrown(AppError.self) { try await cycle.enqueue(returning: a) }
        #expect(circular?.description.contains("\"a\", \"b\", \"c\"") == true)
        let doubled = #expect(throws: AppError.self) { try flow.step("a", double.signature(1)) }
        #expect(doubled?.description.contains("two steps of the name \"a\"") == true)
        var other = Flow(app)
        let lost = try other.step("x", double.signature(1), after: ["y"])
        let sent = other
        let unknown = await thrown(AppError.self) { try await sent.enqueue(returning: lost) }
        #expect(unknown?.description.contains("waits for \"y\"") == true)
        let foreign = await thrown(AppError.self) { try await sent.enqueue(returning: a) }
        #expect(foreign?.description.contains("of another flow") == true)
        #expect(try await broker.listRecords(limit: 1) == [])
    }

    @Test("a step that waits for a signal gets its payload; the first one counts")
    func signal() async throws {
        var flow = Flow(app)
        let start = try flow.step("start", double.signature(1))
        let approval = try flow.signal("approve", of: Int.self, after: ["start"])
        let last = try flow.step("last", add, taking: start, approval)
        let result = try await flow.enqueue(returning: last)
        let workflow = app.workflow(try #require(result.workflowID))
        try await withWorker(app) { _ in
            try await eventually("the first step is done") { try await workflow.progress().succeeded == 1 }
            let unknown = await thrown(AppError.self) { try await workflow.signal("other") }
            #expect(unknown?.description.contains("it knows approve") == true)
            try await workflow.signal("approve", with: 40)
            #expect(try await result.value(timeout: .seconds(20)) == 42)
            let late = await thrown(AppError.self) { try await workflow.signal("approve", with: 1) }
            #expect(late?.description.contains("any more") == true)
        }
        try await broker.expectEmpty()
    }

    @Test(
        "a signal that comes before anything runs counts; one that never comes is a failure in time, on a test's clock")
    func timeout() async throws {
        let app = Chard("clocked")
        let queue = TestQueue(app)
        let add = app.task("add") { (x: Int, y: Int) in x + y }
        var flow = Flow(app)
        let one = try flow.signal("one", of: Int.self, timeout: .seconds(3_600))
        let two = try flow.signal("two", of: Int.self, timeout: .seconds(3_600))
        let sum = try flow.step("sum", add, taking: one, two)
        let good = try await flow.enqueue(returning: sum)
        let bad = try await flow.enqueue(returning: sum)
        for (result, names) in [(good, ["one", "two"]), (bad, ["one"])] {
            let workflow = app.workflow(try #require(result.workflowID))
            for name in names { try await workflow.signal(name, with: 21) }
        }
        try await queue.run(for: .seconds(7_200))
        #expect(try await queue.value(of: good) == 42)
        let error = await thrown(TaskError.self) { try await queue.value(of: bad) }
        #expect(error?.type == "SignalTimeout" && error?.message.contains("\"two\"") == true)
    }

    @Test("a flow that is cancelled does not go on, whatever signal comes")
    func cancelled() async throws {
        var flow = Flow(app)
        let approval = try flow.signal("approve", of: Int.self)
        let last = try flow.step("last", double, taking: approval)
        let result = try await flow.enqueue(returning: last)
        let workflow = app.workflow(try #require(result.workflowID))
        try await workflow.cancel()
        #expect(try await result.status().state == .revoked)
        let error = await thrown(AppError.self) { try await workflow.signal("approve", with: 1) }
        #expect(error?.description.contains("called off") == true)
        #expect(runs.count == 0)
    }
}
