// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A task that fails for good.
struct Failures: Chapter {
    let title = "A failure comes back as a typed error"

    let code = """
        let pick = app.task("shop.pick") { (plant: String, count: Int) in
            guard count <= 3 else { throw OutOfStock(plant: plant, left: 3) }
            return count
        }
        do {
            _ = try await pick.enqueue("fern", 7).value(timeout: .seconds(5))
        } catch let error as TaskError { … }
        """

    func play(on stage: Stage) async throws {
        let error = try await stage.failure(of: try await stage.shop.pick.enqueue("fern", 7))
        stage.tell.failure("type: \(error.type), from the module \(error.module ?? "of nobody")")
        stage.tell.failure("message: \(error.message)")
        stage.tell.failure("traceback:")
        for line in (error.traceback ?? "").split(separator: "\n") { stage.tell.detail(String(line)) }
        stage.tell.note("A Python client gets an exception of that name; Python's arrive here alike.")
        try stage.check(error.type == "OutOfStock", "OutOfStock, not \(error)")
    }
}
