// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A user's tasks, as the tests of the kit see them: `docs/testing.md` shows these lines.
struct Shop: TaskSet {
    let app: Chard
    let charge: TaskHandle<String, Int, String>
    let sendReceipt: TaskHandle<Void, Int>
    let remind: TaskHandle<Int, Int>

    init(_ app: Chard) {
        self.app = app
        let receipt = app.task("shop.receipt") { (order: Int) in }
        charge = app.task(
            "shop.charge",
            options: TaskOptions(retry: .exponential(maxRetries: 3, initialDelay: .seconds(60), jitter: false))
        ) { (order: Int, card: String) in
            if card.isEmpty { throw CardRefused() }
            try await receipt.enqueue(order)
            return "order \(order) is paid"
        }
        sendReceipt = receipt
        remind = app.task("shop.remind") { (context: TaskContext, order: Int) in context.attempt }
    }

    func place(order: Int, card: String) async throws -> AsyncResult<String> {
        try await remind.enqueue(order, in: .seconds(86_400), queue: "later")
        return try await charge.enqueue(order, card)
    }
}

struct CardRefused: Error {}
struct BankIsDown: Error {}
