// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: SchedulingBroker {
    /// What waits for its time.
    public func scheduledTasks(in queue: String?, limit: Int) async throws -> [ScheduledTask] {
        var tasks: [ScheduledTask] = []
        for queue in try await names(of: queue) {
            let entries =
                try await ask([
                    RedisCommand("ZRANGE", keys.scheduled(queue), 0, limit - 1, "WITHSCORES")
                ])[0].array ?? []
            let times = stride(from: 0, to: entries.count - 1, by: 2).compactMap { index in
                entries[index].text.flatMap { name in entries[index + 1].text.flatMap(Double.init).map { (name, $0) } }
            }
            guard !times.isEmpty else { continue }
            var command = RedisCommand("HMGET", keys.scheduledMessages(queue))
            command.append(contentsOf: times.map(\.0))
            let messages = try await ask([command])[0].array ?? []
            // A message may have been promoted, after its name was read.
            tasks += zip(times, messages).compactMap { entry, message in
                ScheduledTask(name: entry.0, queue: queue, due: entry.1, entry: message.bytes)
            }
        }
        return Array(tasks.sorted { $0.dueAt < $1.dueAt }.prefix(limit))
    }

    private func names(of queue: String?) async throws -> [String] {
        if let queue { return [queue] }
        return try await queues().map(\.queue)
    }

    /// One scheduled message.
    public func scheduledTask(_ name: String) async throws -> ScheduledTask? {
        let queues = try await queues().map(\.queue)
        let replies = try await ask(
            queues.flatMap {
                [
                    RedisCommand("ZSCORE", keys.scheduled($0), name),
                    RedisCommand("HGET", keys.scheduledMessages($0), name),
                ]
            })
        return queues.enumerated().lazy.compactMap { index, queue in
            guard let due = replies[index * 2].text.flatMap(Double.init) else { return nil }
            return ScheduledTask(name: name, queue: queue, due: due, entry: replies[index * 2 + 1].bytes)
        }.first
    }

    /// Changes a scheduled message.
    public func change(_ task: ScheduledTask, _ change: ScheduledChange) async throws -> Bool {
        let step = Priority.step(for: task.priority)
        let digit = [UInt8(ascii: "0") + UInt8(step)]
        var script = RedisScript.changeScheduled.command(
            keys: [keys.scheduled(task.queue), keys.scheduledMessages(task.queue), keys.due], task.name,
            digit + task.payload)
        switch change {
        case .cancel(let status):
            script.append("c")
            if let status { script.append(status, keys: keys) }
        case .move(let date, let payload):
            script.append("m")
            script.append(task.queue)
            script.append(date.timeIntervalSince1970)
            script.append(digit + payload)
        case .run(let payload):
            script.append("r")
            script.append(keys.waiting(task.queue, step: step))
            script.append(payload)
        }
        return try await ask([script])[0].integer == 1
    }
}

extension ScheduledTask {
    /// Reads a message as it is kept, behind the digit of its step.
    fileprivate init?(name: String, queue: String, due: Double, entry: [UInt8]?) {
        guard let entry, let digit = entry.first, case let step = Int(digit) - 0x30, Priority.steps.indices ~= step
        else {
            return nil
        }
        self.init(
            name: name, queue: queue, dueAt: Date(timeIntervalSince1970: due), priority: Priority.steps[step],
            payload: Array(entry.dropFirst()))
    }
}
