// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The tasks of the tour's app: a shop for plants.
///
/// The chapters show these lines; a program of your own would have them much like this, and `let shop = app.add(Shop.self)`.
struct Shop: TaskSet {
    let app: Chard
    let price: TaskHandle<Int, Int, Int>
    let label: TaskHandle<String, Order>
    let water: TaskHandle<String, String>
    let charge: TaskHandle<String, Int>
    let pick: TaskHandle<Int, String, Int>
    let catalogue: TaskHandle<Int, Int>
    let photo: TaskHandle<Int, Int>
    let square: TaskHandle<Int, Int>

    init(_ app: Chard) {
        app.dependencies.register(Bank.self, make: { Bank() })

        price = app.task("shop.price") { (cents: Int, n: Int) in cents * n }

        label = app.task("shop.label", keywords: Order.self) { _, order in
            "\(order.count) × \(order.plant)" + (order.gift == true ? ", a gift" : "")
        }

        water = app.task("shop.water") { (plant: String) in "\(plant) is watered" }

        let policy = RetryPolicy.exponential(
            maxRetries: 5, initialDelay: .milliseconds(500), jitter: false)
        charge = app.task("shop.charge", options: TaskOptions(retry: policy)) {
            (context: TaskContext, cents: Int) in
            try await context.dependencies.get(Bank.self).charge(cents)
        }

        pick = app.task("shop.pick") { (plant: String, count: Int) in
            guard count <= 3 else { throw OutOfStock(plant: plant, left: 3) }
            return count
        }

        catalogue = app.task("shop.catalogue") {
            (context: TaskContext, pages: Int) in
            for page in 1...pages {
                try await Task.sleep(for: .milliseconds(200))  // drawing a page
                try await context.progress(page, of: pages)
            }
            return pages
        }

        photo = app.task("shop.photo") { (number: Int) in
            try await Task.sleep(for: .milliseconds(500))  // fetching it
            return number
        }

        square = app.task("shop.square") { (n: Int) in n * n }

        self.app = app
    }
}

/// What `shop.label` takes, each field a keyword argument.
struct Order: Codable, Sendable {
    var plant: String
    var count: Int
    var gift: Bool?
}

/// There are not so many of this plant.
struct OutOfStock: Error, CustomStringConvertible {
    var plant: String
    var left: Int

    var description: String { "only \(left) of \(plant) are left" }
}
