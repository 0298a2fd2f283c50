// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// How many calls the bulk API is given at a time: enough to make the round trip cheap, few enough for a small message to
/// the server.
private let batchSize = 500

extension Chard {
    /// Sends `count` calls with the bulk API: while one batch is under way, the next is made.
    func enqueue<Output: Sendable>(
        _ count: Int, _ signature: @escaping @Sendable (Int) throws -> Signature<Output>
    ) async throws {
        try await withThrowingTaskGroup { senders in
            for first in [0, batchSize] {
                senders.addTask {
                    for start in stride(from: first, to: count, by: batchSize * 2) {
                        try await self.enqueue(try (start..<min(count, start + batchSize)).map(signature))
                    }
                }
            }
            try await senders.waitForAll()
        }
    }
}
