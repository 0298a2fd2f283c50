// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A user's app, as the tests of the kit see it.
struct Shop: Sendable {
    let app = Chard("shop")
    let charge: TaskHandle<String, Int, String>
    let sendReceipt: TaskHandle<Void, Int>
    let remind: TaskHandle<Int, Int>

    init() {
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
        try await remind.enqueue(order, options: EnqueueOptions(queue: "later", countdown: .seconds(86_400)))
        return try await charge.enqueue(order, card)
    }
}

struct CardRefused: Error {}
struct BankIsDown: Error {}
