// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension SQLiteBroker: DelayingBroker {
    /// What waits for its time.
    public func delayedTasks(in queue: String?, limit: Int) async throws -> [DelayedTask] {
        try await engine.read { db in try StoredMessage.delayed(db, for: queue, limit: limit) }
    }

    /// One delayed message: of several with this id, the earliest.
    public func delayedTask(_ name: String) async throws -> DelayedTask? {
        try await engine.read { db in try StoredMessage.delayed(db, id: name) }
    }

    /// Changes a delayed message.
    public func change(_ task: DelayedTask, _ effects: Effects) async throws -> Bool {
        try await engine.write(durably: true) { transaction in try transaction.change(task, effects) }
    }
}
