// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Options of one call")
struct EnqueueOptionsTests {
    static let then = Date(timeIntervalSince1970: 2_000_000_000)

    static let bad: [(EnqueueOptions, String)] = [
        (EnqueueOptions(countdown: .seconds(1), eta: then), "give either a countdown or an eta, not both"),
        (EnqueueOptions(expires: .seconds(1), expiresAt: then), "give either expires or expiresAt, not both"),
        (EnqueueOptions(expires: .zero), "expires is 0.0 seconds; it must be above zero"),
        (
            EnqueueOptions(countdown: .seconds(9), expires: .seconds(9)),
            "the task would expire (9.0 seconds) before its countdown (9.0 seconds) is over"
        ),
        (EnqueueOptions(eta: then, expiresAt: then), "the task would expire before its eta"),
        (EnqueueOptions(queue: ""), "the queue is the empty string"),
        (EnqueueOptions(id: ""), "the id is the empty string"),
        (EnqueueOptions(priority: -1), "the priority is -1; 0 (first) to 9 (last) exist"),
        (EnqueueOptions(priority: 10), "the priority is 10; 0 (first) to 9 (last) exist"),
        (
            EnqueueOptions(retry: .constant(maxRetries: -2, delay: .zero)),
            "the retry policy: maxRetries is -2; it must be 0 or more"
        ),
        (
            EnqueueOptions(softTimeLimit: .seconds(3), timeLimit: .seconds(2)),
            "the soft time limit (3.0 seconds) is not below the hard one (2.0 seconds)"
        ),
    ]

    @Test("what makes no sense is refused, and nothing is sent", arguments: bad)
    func refused(_ options: EnqueueOptions, _ problem: String) async throws {
        let (app, broker) = makeApp()
        let task = app.task("t") { () in 1 }
        let good = try task.signature()
        let error = await thrown(AppError.self) {
            try await app.enqueue([good, try task.signature(options: options)])
        }
        #expect(error?.description == "cannot enqueue t: \(problem)")
        #expect(try await broker.queues().isEmpty)
    }

    static let good: [EnqueueOptions] = [
        EnqueueOptions(), EnqueueOptions(countdown: .seconds(8), expires: .seconds(9)), EnqueueOptions(priority: 9),
        EnqueueOptions(eta: then, expiresAt: then + 1), EnqueueOptions(priority: 0),
        EnqueueOptions(softTimeLimit: .seconds(2), timeLimit: .seconds(3)), EnqueueOptions(countdown: .seconds(-1)),
    ]

    @Test("what makes sense is taken", arguments: good)
    func taken(_ options: EnqueueOptions) {
        #expect(options.problem == nil)
    }
}
