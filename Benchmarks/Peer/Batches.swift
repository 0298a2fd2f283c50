// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// How many calls the bulk API is given at a time: enough to make the round trip cheap, few enough for a small message to
/// the server.
private let batchSize = 500

extension Chard {
    /// Sends `count` calls with the bulk API.
    func enqueue<Output: Sendable>(
        _ count: Int, _ signature: (Int) throws -> Signature<Output>
    ) async throws {
        for start in stride(from: 0, to: count, by: batchSize) {
            try await enqueue(try (start..<min(count, start + batchSize)).map(signature))
        }
    }
}
