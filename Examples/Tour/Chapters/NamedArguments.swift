// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Keyword arguments: from a struct, or by name alone.
struct NamedArguments: Chapter {
    let title = "Named arguments: a struct's fields, or whatever a Python caller sends"

    let code = """
        struct Order: Codable, Sendable {
            var plant: String
            var count: Int
            var gift: Bool?
        }
        let label = app.task("shop.label", keywords: Order.self) { _, order in … }

        try await label.enqueue(Order(plant: "chard", count: 2))
        try await app.send("shop.label", Arguments(keywords: fern))
        try await app.send("shop.label", Arguments(keywords: ivy))
        """

    func play(on stage: Stage) async throws {
        let app = stage.shop.app
        let typed = try await stage.shop.label.enqueue(Order(plant: "chard", count: 2)).value(timeout: .seconds(5))
        stage.tell.result("chard, typed: \(typed)")

        let fern: [String: JSON] = ["plant": "fern", "count": 1, "gift": true]
        let named = try await app.send("shop.label", Arguments(keywords: fern)).value(timeout: .seconds(5))
        stage.tell.result("fern, by name: \(named.string ?? "")")

        let ivy: [String: JSON] = ["plant": "ivy", "count": "many"]
        let error = try await stage.failure(of: try await app.send("shop.label", Arguments(keywords: ivy)))
        stage.tell.failure("ivy, by name: \(error)")
        try stage.check(error.type == "TypeError", "a TypeError, not \(error)")
    }
}
