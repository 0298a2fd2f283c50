// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import Testing

/// The tests that `docs/testing.md` shows, word for word.
@Suite("Documented tests", .timeLimit(.minutes(1)))
struct DocumentedTests {
    @Test("an order is charged, and its receipt sent")
    func order() async throws {
        let shop = Chard("shop").add(Shop.self)
        let queue = TestQueue(shop.app)

        let paid = try await shop.place(order: 7, card: "visa")
        #expect(queue.enqueued(shop.charge) == [.init(7, "visa")])

        try await queue.drain()
        #expect(queue.enqueued(shop.sendReceipt) == [.init(7)])
        #expect(try await paid.value() == "order 7 is paid")
    }

    @Test("an order waits for a bank that is down, each time longer")
    func bankIsDown() async throws {
        let shop = Chard("shop").add(Shop.self)
        let queue = TestQueue(shop.app)
        queue.failNext(shop.charge, with: BankIsDown(), times: 2)

        let paid = try await shop.place(order: 7, card: "visa")
        let runs = try await queue.run(for: .seconds(600))
        #expect(runs.filter { $0.task == "shop.charge" }.map(\.attempt) == [1, 2, 3])
        #expect(try await paid.value() == "order 7 is paid")
    }

    @Test("an enqueue that runs its task at once")
    func immediately() async throws {
        let shop = Chard("shop").add(Shop.self)
        shop.app.runImmediately(failures: .thrown)
        let paid = try await shop.charge.enqueue(7, "visa")
        #expect(try await paid.status().state == .success)
    }
}
