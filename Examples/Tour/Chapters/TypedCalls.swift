// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A task, a call, a result, all typed.
struct TypedCalls: Chapter {
    let title = "One line defines a task, one line calls it"

    let code = """
        let price = app.task("shop.price") { (cents: Int, n: Int) in cents * n }

        let total = try await price.enqueue(249, 3).value(timeout: .seconds(5))
        """

    func play(on stage: Stage) async throws {
        let start = ContinuousClock.now
        let total = try await stage.shop.price.enqueue(249, 3).value(timeout: .seconds(5))
        let took = ContinuousClock.now - start
        try stage.check(total == 747, "249 × 3 = 747, not \(total)")
        stage.tell.result("\(total), an \(type(of: total)), \(took.text) after the call")
        stage.tell.note("A call with the wrong types does not compile.")
    }
}
