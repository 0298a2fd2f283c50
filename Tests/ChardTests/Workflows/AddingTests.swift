// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Members that tasks add to their group", .timeLimit(.minutes(2)))
struct AddingTests {
    let app: Chard
    let broker: MemoryBroker
    let crawl: TaskHandle<Int, Int>
    let total: TaskHandle<[Int], [Int]>
    let runs = Recorder<String>()

    init() {
        (app, broker) = makeApp()
        let (app, runs) = (app, runs)
        let double = app.task("double") { (x: Int) in 2 * x }
        // Each adds what is one smaller, and a pipeline.
        crawl = app.task("crawl", options: TaskOptions(retry: .constant(maxRetries: 1, delay: .milliseconds(1)))) {
            (context: TaskContext, x: Int) in
            let again = app.reference("crawl", taking: Int.self, returning: Int.self)
            if x > 0 {
                try await context.add(toGroup: again.signature(x - 1))
                try await context.add(toGroup: double.signature(100 * x).then(double))
            }
            runs.add("\(x)")
            // What was added by the first attempt is not added again.
            if x == 2, context.attempt == 1 { throw TaskError("Again", "once more") }
            return x
        }
        total = app.task("total") { (values: [Int]) in values.sorted() }
    }

    @Test("the body waits for them, too; a second attempt adds nothing twice; the workflow knows of them")
    func added() async throws {
        try await withWorker(app, concurrency: 4) { _ in
            let result = try await group([crawl.signature(3), crawl.signature(0)]).then(total).enqueue()
            #expect(try await result.value(timeout: .seconds(20)) == [0, 0, 1, 2, 3, 400, 800, 1200])
            let id = try #require(result.workflowID)
            let report = try #require(try await app.workflow(id).report())
            #expect(report.state == .succeeded && report.tasks.contains { $0.task == "double" }, "\(report)")
        }
        #expect(runs.all.sorted() == ["0", "0", "1", "2", "2", "3"])
        try await broker.expectEmpty()
    }

    @Test("what is no member of such a group can add nothing")
    func refusals() async throws {
        try await withWorker(app) { _ in
            for result in [
                try await crawl.enqueue(1), try await group([crawl.signature(1)]).enqueue().members[0],
            ] {
                let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
                #expect(
                    error?.message.contains("no member of a group that something waits for") == true, "\(error as Any)")
            }
        }
    }
}
