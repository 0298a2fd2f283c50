// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension MemoryBroker: SchedulingBroker {
    /// What waits for its time.
    public func scheduledTasks(in queue: String?, limit: Int) async throws -> [ScheduledTask] {
        change { state, _ in Array(state.scheduledTasks.lazy.filter { queue == nil || $0.queue == queue }.prefix(limit))
        }
    }

    /// One scheduled message.
    public func scheduledTask(_ name: String) async throws -> ScheduledTask? {
        change { state, _ in state.scheduledTasks.first { $0.name == name } }
    }

    /// Changes a scheduled message.
    public func change(_ task: ScheduledTask, _ change: ScheduledChange) async throws -> Bool {
        self.change { state, now in state.change(task, change, now: now) }
    }
}

extension MemoryState {
    fileprivate var scheduledTasks: [ScheduledTask] { scheduled.map(ScheduledTask.init) }

    fileprivate mutating func change(_ task: ScheduledTask, _ change: ScheduledChange, now: Date) -> Bool {
        guard let index = scheduled.firstIndex(where: { ScheduledTask($0) == task }) else { return false }
        var message = scheduled.remove(at: index).message
        switch change {
        case .cancel(let status):
            if let status { store(status, now: now) }
        case .move(let date, let payload):
            message.dueAt = date
            message.payload = payload
            send([message], now: now)
        case .run(let payload):
            message.dueAt = nil
            message.payload = payload
            place(message, atFront: true)
        }
        return true
    }
}

extension ScheduledTask {
    fileprivate init(_ entry: MemoryState.Scheduled) {
        self.init(
            name: entry.message.id, queue: entry.message.queue, dueAt: entry.dueAt, priority: entry.message.priority,
            payload: entry.message.payload)
    }
}
