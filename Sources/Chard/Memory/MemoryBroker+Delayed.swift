// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension MemoryBroker: DelayingBroker {
    /// What waits for its time.
    public func delayedTasks(in queue: String?, limit: Int) async throws -> [DelayedTask] {
        change { state, _ in Array(state.delayedTasks.lazy.filter { queue == nil || $0.queue == queue }.prefix(limit))
        }
    }

    /// One delayed message.
    public func delayedTask(_ name: String) async throws -> DelayedTask? {
        change { state, _ in state.delayedTasks.first { $0.name == name } }
    }

    /// Changes a delayed message.
    public func change(_ task: DelayedTask, _ effects: Effects) async throws -> Bool {
        change { state, now in state.change(task, effects, now: now) }
    }
}

extension MemoryState {
    fileprivate var delayedTasks: [DelayedTask] { delayed.map(DelayedTask.init) }

    fileprivate mutating func change(_ task: DelayedTask, _ effects: Effects, now: Date) -> Bool {
        guard let index = delayed.firstIndex(where: { DelayedTask($0) == task }) else { return false }
        let entry = delayed.remove(at: index)
        write(effects, taking: entry.message, now: now)
        return true
    }
}

extension DelayedTask {
    fileprivate init(_ entry: MemoryState.Delayed) {
        self.init(
            name: entry.message.id, queue: entry.message.queue, dueAt: entry.dueAt, priority: entry.message.priority,
            payload: entry.message.payload)
    }
}
