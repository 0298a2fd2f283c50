// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension SQLiteBroker: PeekableBroker {
    /// What waits in a queue.
    public func waitingMessages(
        in queue: String, from first: Int, limit: Int, messageLimit: Int
    ) async throws -> [PeekedMessage] {
        try await engine.read { db in
            try StoredMessage.waiting(
                db, in: queue, from: first, limit: max(0, limit), messageLimit: messageLimit)
        }
    }

    /// What processes hold of a queue.
    public func leasedMessages(in queue: String, limit: Int, messageLimit: Int) async throws -> [PeekedMessage] {
        try await engine.read { db in
            try StoredMessage.leased(db, of: queue, limit: max(0, limit), messageLimit: messageLimit)
        }
    }
}
