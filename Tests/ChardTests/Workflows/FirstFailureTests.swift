// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Groups that end at the first failure", .timeLimit(.minutes(2)))
struct FirstFailureTests {
    let app: Chard
    let broker: MemoryBroker
    let double: TaskHandle<Int, Int>
    let fail: TaskHandle<Int, Int>
    let sleep: TaskHandle<Int, Int>
    let sum: TaskHandle<Int, [Int]>
    let runs = Recorder<String>()

    init() {
        (app, broker) = makeApp()
        let runs = runs
        double = app.task("double") { (x: Int) in
            runs.add("double \(x)")
            return 2 * x
        }
        fail = app.task("fail") { (x: Int) -> Int in throw TaskError("ValueError", "no \(x)") }
        sleep = app.task("sleep") { (x: Int) in
            runs.add("sleep \(x)")
            try await Task.sleep(for: .seconds(x))
            return x
        }
        sum = app.task("sum") { (values: [Int]) in
            runs.add("sum")
            return values.reduce(0, +)
        }
    }

    @Test("all succeed: the body gets their results, in their order, and goes on")
    func success() async throws {
        try await withWorker(app, concurrency: 4) { _ in
            let result = try await group((1...5).map { try double.signature($0) })
                .then(sum, policy: .firstFailure).then(double).enqueue()
            #expect(try await result.value(timeout: .seconds(20)) == 60)
            let asEver = try await group([double.signature(1)]).then(sum, policy: .allSucceeded).enqueue()
            #expect(try await asEver.value(timeout: .seconds(20)) == 2)
        }
        try await broker.expectEmpty()
    }

    @Test(
        "one fails: the body fails at once, what runs is cancelled, what waits does not run, and errbacks are called once"
    )
    func failure() async throws {
        let told = Recorder<String>()
        let failed = app.task("failed") { (id: String) in told.add(id) }
        try await withWorker(app, concurrency: 4) { _ in
            let parts = [
                try sleep.signature(60).workflow, try fail.signature(2).workflow,
                try double.signature(7, options: EnqueueOptions(countdown: .seconds(60))).workflow,
                try sleep.signature(59).then(double),
            ]
            let result = try await group(parts).then(sum, policy: .firstFailure).onFailure(failed).then(double)
                .enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(
                error?.type == "ChordError" && error?.message.contains("ValueError('no 2')") == true, "\(error as Any)")
            try await eventually("all members are over", within: .seconds(20)) {
                let report = try await app.workflow(result.workflowID ?? "").report()
                return report?.progress.done == report?.progress.total
            }
            let report = try #require(try await app.workflow(result.workflowID ?? "").report())
            #expect(report.state == .failed && report.progress.cancelled == 4, "\(report)")
            #expect(told.all.count == 1)
            #expect(!runs.all.contains("sum") && !runs.all.contains { $0.hasPrefix("double") }, "\(runs.all)")
        }
        try await broker.expectEmpty()
    }

    @Test("within a chord, it fails that; two that fail at once fail it once")
    func nested() async throws {
        try await withWorker(app, concurrency: 4) { _ in
            let parts = try (0..<8).map { try fail.signature($0) }
            let inner = try group(parts).then(sum, policy: .firstFailure)
            let result = try await group([inner, double.signature(1).workflow]).then(sum).enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "ChordError")
            try await eventually("all is settled") {
                try await broker.queues().allSatisfy { $0.waiting + $0.leased == 0 }
            }
        }
        #expect(!runs.all.contains("sum"))
        try await broker.expectEmpty()
    }

    @Test("parts that came as messages of their own, as Python sends them, count as well", arguments: [true, false])
    func byMessage(good: Bool) async throws {
        var body = Canvas(task: "sum")
        body.freeze("body")
        try await broker.store([
            StatusRecord(
                TaskStatus(id: "bad", state: .failure, result: TaskError("ValueError", "boom").info.json.encoded()),
                timeToLive: nil)
        ])
        for (index, argument) in ["7", good ? "8" : #""bad""#].enumerated() {
            let arrival = Arrival(
                id: "x\(index)", group: "g", index: index, size: 2, body: body.encoded(), isSuccess: index == 0 || good,
                calledOff: "h")
            try await app.send(arrival.signature(on: "celery").called(with: [Array(argument.utf8)[...]]))
        }
        try await withWorker(app) { _ in
            let status = try await app.result(of: "body").finalStatus(timeout: .seconds(20))
            #expect(status.state == (good ? .success : .failure))
            #expect(good ? status.result == 15 : "\(status.result)".contains("Dependency bad raised ValueError"))
            try await eventually("all is settled") {
                try await broker.queues().allSatisfy { $0.waiting + $0.leased == 0 }
            }
        }
        try await broker.expectEmpty()
    }

    @Test("in immediate mode, too")
    func immediate() async throws {
        app.runImmediately()
        let good = try await group([double.signature(1), double.signature(2)]).then(sum, policy: .firstFailure)
            .enqueue()
        #expect(try await good.value(timeout: .seconds(1)) == 6)
        let bad = try await group([double.signature(1), fail.signature(2)]).then(sum, policy: .firstFailure).enqueue()
        let error = await thrown(TaskError.self) { try await bad.value(timeout: .seconds(1)) }
        #expect(error?.type == "ChordError")
    }
}
