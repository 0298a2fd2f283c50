// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Concurrency, and speed.
struct ManyAtOnce: Chapter {
    let title = "Many at once"

    let code = """
        let photo = app.task("shop.photo") { (number: Int) in
            try await Task.sleep(for: .milliseconds(500))  // fetching it
            return number
        }
        let square = app.task("shop.square") { (n: Int) in n * n }

        // One round trip for as many as there are:
        let photos = try await app.enqueue((1...64).map { try photo.signature($0) })
        let squares = try await app.enqueue(
            (1...10_000).map { try square.signature($0) })
        """

    func play(on stage: Stage) async throws {
        let (app, shop) = (stage.shop.app, stage.shop)
        var start = ContinuousClock.now
        let photos = try await app.enqueue((1...64).map { try shop.photo.signature($0) })
        try await collect(photos, on: stage) { $0 }
        stage.tell.result("64 photos, \(TourWorker.concurrency) at a time: \((ContinuousClock.now - start).text)")

        start = .now
        let squares = try await app.enqueue((1...10_000).map { try shop.square.signature($0) })
        try await collect(squares, on: stage) { $0 * $0 }
        let took = ContinuousClock.now - start
        let rate = Int(Double(squares.count) / (took / .seconds(1)))
        stage.tell.result("\(squares.count.text) squares, every one sent, run, read and right: \(took.text)")
        stage.tell.result("that is \(rate.text) tasks/s\(build), through a file, safe on disk")
    }

    /// Reads all results, and checks each.
    private func collect(
        _ calls: [AsyncResult<Int>], on stage: Stage, expecting expected: (Int) -> Int
    ) async throws {
        for (index, call) in calls.enumerated() {
            let value = try await call.value(timeout: .seconds(60))
            try stage.check(value == expected(index + 1), "\(expected(index + 1)), not \(value)")
            if index % (calls.count / 64) == 0 { stage.tell.live("\((index + 1).text) of \(calls.count.text)") }
        }
        stage.tell.endLive()
    }

    private var build: String {
        #if DEBUG
        " in a debug build"
        #else
        ""
        #endif
    }
}
