// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Celery's extended results", .fewAtATime)
struct ExtendedResultTests {
    @Test("say name, args, kwargs, worker, retries and queue, of a success as of a failure", arguments: [true, false])
    func fields(isExtended: Bool) async throws {
        let (app, _) = makeApp(settings: Settings(resultExtended: isExtended))
        let add = app.task("add", parameters: ["x", "y"]) { (x: Int, y: Int) in
            if y == 0 { throw TaskError("ValueError", "no") }
            return x + y
        }
        let arguments = Arguments([2], keywords: ["y": 3])
        let (good, bad) = (try await app.send("add", arguments), try await add.enqueue(1, 0))
        try await withWorker(app) { _ in
            for result in [good.id, bad.id] {
                _ = try await app.result(of: result).finalStatus(timeout: .seconds(20))
            }
        }
        let expected: [String: JSON] = [
            "name": "add", "args": [2], "kwargs": ["y": 3], "worker": "test@here", "retries": 0, "queue": "celery",
        ]
        #expect(try await good.status().extra == (isExtended ? expected : [:]))
        #expect(try await app.result(of: bad.id).status().extra["args"] == (isExtended ? [1, 0] : nil))
    }
}
