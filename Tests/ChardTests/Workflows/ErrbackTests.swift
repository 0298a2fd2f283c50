// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Errbacks that are pipelines", .timeLimit(.minutes(1)))
struct ErrbackTests {
    @Test("each task of it runs once, the first one with the id of what has failed", arguments: [false, true])
    func pipeline(immediately: Bool) async throws {
        let (app, broker) = makeApp()
        let told = Recorder<String>()
        let fail = app.task("fail") { (x: Int) -> Int in throw TaskError("ValueError", "no \(x)") }
        let double = app.task("double") { (x: Int) in 2 * x }
        let look = app.task("look") { (id: String) in id.count }
        let tell = app.task("tell") { (count: Int, word: String) in told.add("\(word) \(count)") }
        let sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        let chain = try fail.signature(1).then(double).onFailure(look.then(tell, with: "chain"))
        let chord = try group([fail.signature(2), double.signature(1)]).then(sum).onFailure(
            look.then(tell, with: "chord"))
        if immediately {
            app.runImmediately()
            _ = try await (chain.enqueue(), chord.enqueue())
            #expect(told.all == ["chain 36", "chord 36"])
            return
        }
        try await withWorker(app) { _ in
            _ = try await (chain.enqueue(), chord.enqueue())
            try await eventually("both were told") { told.count == 2 }
            try await eventually("all is settled") {
                try await broker.queues().allSatisfy { $0.waiting + $0.leased == 0 }
            }
        }
        #expect(told.all.sorted() == ["chain 36", "chord 36"])
        try await broker.expectEmpty()
    }
}
