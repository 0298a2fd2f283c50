// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("Workflows as wholes", .timeLimit(.minutes(2)))
struct WorkflowReportTests {
    let app: Chard
    let broker: MemoryBroker
    let double: TaskHandle<Int, Int>
    let sum: TaskHandle<Int, [Int]>
    let wait: TaskHandle<Int, Int>
    let shaky: TaskHandle<Int, Int>
    let gate = Gate()
    let isMended = Recorder<Bool>()
    let runs = Recorder<String>()

    init() {
        (app, broker) = makeApp()
        double = app.task("double") { [runs] (x: Int) in
            runs.add("double \(x)")
            return 2 * x
        }
        sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        wait = app.task("wait") { [gate] (x: Int) in
            try await gate.pass()
            return x
        }
        shaky = app.task("shaky") { [isMended] (x: Int) -> Int in
            if isMended.count == 0 { throw TaskError("ValueError", "not yet") }
            return x
        }
    }

    private func states(_ report: WorkflowReport?) -> [String] {
        report?.tasks.map { "\($0.task) \($0.state.rawValue)" } ?? []
    }

    @Test("a workflow is known while it waits, while it runs and afterwards")
    func life() async throws {
        let result = try await group((1...3).map { try double.signature($0) }).then(sum).then(wait).then(double)
            .enqueue()
        let workflow = app.workflow(try #require(result.workflowID))
        let before = try #require(try await workflow.report())
        #expect(before.state == .waiting && before.progress.description == "0 of 6 done")
        #expect(before.progress.waiting == 6)
        try await withWorker(app) { _ in
            try await eventually("it runs") {
                let report = try await workflow.report()
                return report?.progress.running == 1 && report?.progress.succeeded == 4
            }
            let during = try #require(try await workflow.report())
            #expect(during.state == .running && during.progress.description == "4 of 6 done, 1 running")
            #expect(
                states(during) == [
                    "double succeeded", "double succeeded", "double succeeded", "sum succeeded", "wait running",
                    "double waiting",
                ])
            guard case .group(let id, let members)? = during.nodes.first else {
                throw TaskError("Unexpected", "no group")
            }
            #expect(id == result.workflowID && members.count == 3)
            gate.open()
            #expect(try await result.value(timeout: .seconds(20)) == 24)
            let after = try #require(try await workflow.report())
            #expect(after.state == .succeeded && after.progress.description == "6 of 6 done" && after.endedAt != nil)
            #expect(after.tasks.allSatisfy { $0.seconds(now: Date()) != nil })
            #expect(try await app.workflows().map(\.id) == [workflow.id])
        }
        try await broker.expectEmpty()
    }

    @Test("a plain call is no workflow, and nothing is recorded of it")
    func plain() async throws {
        try await withWorker(app) { _ in
            let result = try await double.enqueue(1)
            #expect(try await result.value(timeout: .seconds(20)) == 2)
            let single = try await app.enqueue(try double.signature(1).workflow)
            #expect(single.workflowID == nil)
            #expect(try await app.workflow(result.id).report() == nil)
        }
        #expect(try await broker.listRecords(limit: 10) == [])
        let error = await thrown(AppError.self) { try await app.workflow("unknown").progress() }
        #expect(error?.description.contains("unknown") == true)
    }

    @Test("a failure says what failed, and what never runs for it")
    func failure() async throws {
        try await withWorker(app) { _ in
            let result = try await double.then(shaky).then(double).enqueue(1)
            _ = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            let workflow = app.workflow(try #require(result.workflowID))
            let report = try #require(try await workflow.report())
            #expect(report.state == .failed && report.progress.description == "3 of 3 done, 2 failed")
            #expect(report.tasks[1].error == "ValueError: not yet")
        }
    }

    @Test("a retry goes on from what failed: what has succeeded does not run again", arguments: [false, true])
    func retry(inChord: Bool) async throws {
        try await withWorker(app) { _ in
            let result =
                inChord
                ? try await group([double.signature(1), shaky.signature(5)]).then(sum).enqueue()
                : try await double.then(shaky).then(double).enqueue(1)
            let workflow = app.workflow(try #require(result.workflowID))
            _ = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            isMended.add(true)
            #expect(try await workflow.retry().count == 1)
            #expect(try await result.value(timeout: .seconds(20)) == (inChord ? 7 : 4))
            #expect(runs.all.filter { $0 == "double 1" }.count == 1)
            #expect(try await workflow.report()?.state == .succeeded)
            #expect(try await workflow.retry() == [])
        }
        try await broker.expectEmpty()
    }

    @Test("what is cancelled does not run, and whoever waits is told")
    func cancel() async throws {
        let result = try await group((1...3).map { try wait.signature($0) }).then(sum).then(double).enqueue()
        let workflow = app.workflow(try #require(result.workflowID))
        try await withWorker(app, concurrency: 2) { _ in
            try await eventually("two of them run") { try await workflow.progress().running == 2 }
            try await workflow.cancel()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "TaskRevokedError" && error?.message == "cancelled")
            gate.open()
            try await eventually("nothing is left") {
                try await broker.queues().allSatisfy { $0.waiting + $0.leased == 0 }
            }
            let report = try #require(try await workflow.report())
            #expect(report.state == .cancelled && report.progress.cancelled == 5, "\(report.progress)")
            #expect(try await result.status().state == .revoked)
            #expect(runs.all.isEmpty)
            let refused = await thrown(AppError.self) { try await workflow.retry() }
            #expect(refused?.description.contains("called off") == true)
        }
    }

    @Test("the order holds for what is sent later: a body that is cancelled before its members end")
    func cancelledLater() async throws {
        let result = try await wait.then(double).then(double).enqueue(1)
        let workflow = app.workflow(try #require(result.workflowID))
        try await withWorker(app) { _ in
            try await eventually("it runs") { try await workflow.progress().running == 1 }
            try await workflow.cancel(terminating: false)
            gate.open()
            try await eventually("nothing is left") {
                try await broker.queues().allSatisfy { $0.waiting + $0.leased == 0 }
            }
            let report = try await workflow.report()
            #expect(states(report) == ["wait succeeded", "double cancelled", "double cancelled"])
            #expect(runs.all.isEmpty)
        }
    }

    @Test("a task that is replaced, and what a body sends, belong to the workflow that they are from")
    func replaced() async throws {
        let inner = app.task("inner") { [double, sum] (context: TaskContext, x: Int) -> Int in
            try context.replace(by: group([try double.signature(x), try double.signature(x)]).then(sum))
        }
        try await withWorker(app) { _ in
            let result = try await double.then(inner).then(double).enqueue(1)
            #expect(try await result.value(timeout: .seconds(20)) == 16)
            let workflow = app.workflow(try #require(result.workflowID))
            let report = try #require(try await workflow.report())
            #expect(report.state == .succeeded)
            #expect(
                states(report) == [
                    "double succeeded", "inner succeeded", "double succeeded", "double succeeded", "double succeeded",
                    "sum succeeded",
                ])
        }
    }

    @Test("plans are read as they were written")
    func plans() throws {
        let plan = WorkflowPlan.chain([
            .task(id: "a", name: "x"),
            .group(
                id: "g",
                [
                    .task(id: "b", name: "y"), .task(id: "c", name: "y"),
                    .chain([.task(id: "d", name: "z"), .group(id: "h", [])]),
                    .task(id: "e", name: "y"),
                ]),
        ])
        #expect(WorkflowPlan(plan.json) == plan)
        #expect(plan.count == 5 && plan.ids == ["a", "b", "c", "d", "e"])
        #expect(WorkflowPlan([:]) == nil && WorkflowPlan("x") == nil && WorkflowPlan([1]) == nil)
    }
}
