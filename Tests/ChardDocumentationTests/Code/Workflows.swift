// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Chard

private struct Image: Codable, Sendable {
    init() {}
    init(tiles: [Image]) {}
    func scaled(to width: Int) -> Image { self }
}

private func load(_ url: String) async throws -> Image { Image() }
private func save(_ image: Image) async throws -> String { "cat.jpg" }
private func tell(_ job: String, _ id: String) async throws {}

private func tasks(_ app: Chard) {
    let fetch = app.task("fetch") { (url: String) in try await load(url) }
    let resize = app.task("resize") { (image: Image, width: Int) in image.scaled(to: width) }
    let store = app.task("store") { (image: Image) in try await save(image) }
    let merge = app.task("merge") { (images: [Image]) in Image(tiles: images) }
    let failed = app.task("failed") { (id: String, job: String) in try await tell(job, id) }
    _ = (fetch, resize, store, merge, failed)
}

private func flow(
    _ app: Chard, _ load: TaskHandle<String, Int>, _ quote: TaskHandle<Int, String>, _ reserve: TaskHandle<Bool, String>,
    _ ship: TaskHandle<String, Int, Bool>
) async throws {
    var flow = Flow(app)
    let cart = try flow.step("cart", load.signature(7))
    let price = try flow.step("price", quote, taking: cart)
    let stock = try flow.step("stock", reserve, taking: cart)
    try flow.signal("approve", timeout: .seconds(86_400), after: ["price"])
    let receipt = try flow.step("ship", ship, taking: price, stock, after: ["approve"])
    let result = try await flow.enqueue(returning: receipt)
    _ = result
}
