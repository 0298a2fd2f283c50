// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// A shop's worker to look at with the dashboard: what succeeds, fails until somebody mends the cause, takes its time, waits for a
// signal, and comes again and again. Try `orders worker --beat`, then `orders send orders.rush --args '[200]'` and `orders dashboard`.

import Chard
import ChardCommand
import FoundationEssentials

let app = Chard("orders")

let price = app.task("orders.price", parameters: ["item"]) { (item: String) in item.utf8.count * 100 }

app.task("orders.pack", parameters: ["item", "seconds"]) { (item: String, seconds: Double) in
    try await Task.sleep(for: .seconds(min(seconds, 86_400)))
    return item
}

app.task("orders.invoice", parameters: ["template"]) { (template: String) in
    guard let text = try? String(contentsOfFile: template, encoding: .utf8) else {
        throw TaskError("FileNotFoundError", "there is no template \(template)")
    }
    return text.count
}

let ship = app.task("orders.ship", parameters: ["price", "stock"]) { (price: Int, stock: Int) in
    try await Task.sleep(for: .milliseconds(200))
    return "shipped for \(price), \(stock) left"
}

/// Somebody has to approve it: the flow waits for the signal `approve`.
app.task("orders.checkout", parameters: ["item"]) { (item: String) in
    var flow = Flow(app)
    let cost = try flow.step("price", price.signature(item))
    let stock = try flow.step("stock", price.signature("\(item) in stock"))
    try flow.signal("approve", timeout: .seconds(86_400))
    let receipt = try flow.step("ship", ship, taking: cost, stock, after: ["approve"])
    return try await flow.enqueue(returning: receipt).workflowID
}

/// Many at once.
app.task("orders.rush", parameters: ["count"]) { (count: Int) in
    for place in 0..<min(count, 100_000) { try await price.enqueue("item \(place)") }
    return count
}

app.every(.seconds(60), name: "stock-take", run: price, "everything")

await app.main()
