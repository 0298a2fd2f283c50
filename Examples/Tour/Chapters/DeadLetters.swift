// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite

/// Messages that cannot be run, and a worker that does not mind.
struct DeadLetters: Chapter {
    let title = "What cannot be run is kept, with the reason, and stops nobody"

    let code = """
        let broken = OutgoingMessage(
            id: "?", queue: "celery", payload: Array("{oops".utf8))
        try await broker.send([broken])
        try await app.send("shop.prune")  // a task that no worker has

        for letter in try await broker.deadLetters(in: nil, limit: 10) { … }
        """

    func play(on stage: Stage) async throws {
        let (app, broker) = (stage.shop.app, stage.broker)
        let broken = OutgoingMessage(id: "?", queue: "celery", payload: Array("{oops".utf8))
        try await broker.send([broken])
        _ = try await stage.failure(of: try await app.send("shop.prune"))
        let total = try await stage.shop.price.enqueue(249, 3).value(timeout: .seconds(5))

        // The newest comes first, though two that run at once may end in either order. The order for "many" ivies in chapter 2 is among them too.
        let letters = try await broker.deadLetters(in: nil, limit: 10)
        for letter in letters.reversed() {
            let reason = letter.reason.rawValue
            stage.tell.failure(letter.error.hasPrefix(reason) ? letter.error : "\(reason): \(letter.error)")
            let bytes = String(decoding: letter.payload.prefix(44), as: UTF8.self)
            stage.tell.detail(
                "its \(letter.payload.count) bytes are kept: \(bytes)\(letter.payload.count > 44 ? "…" : "")")
        }
        stage.tell.result("and the worker goes on: 249 × 3 = \(total)")
        stage.tell.note("From the shell: chard dead list, show, requeue, drop.")
        try stage.check(
            letters.count == 3 && Set(letters.map(\.reason)) == [.notRegistered, .malformed, .badArguments],
            "three dead letters, each for its reason")
    }
}
