// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: DelayingBroker {
    /// What waits for its time. Of many queues, only those messages are read that are wanted.
    public func delayedTasks(in queue: String?, limit: Int) async throws -> [DelayedTask] {
        let queues = if let queue { [queue] } else { try await queueNames() }
        let replies = try await server.ask(
            queues.map { RedisCommand("ZRANGE", keys.delayed($0), 0, limit - 1, "WITHSCORES") })
        let entries = zip(queues, replies).flatMap { queue, reply in Entry.read(reply, of: queue) }
            .sorted { $0.due < $1.due }.prefix(limit)
        let messages = try await server.ask(
            entries.map { RedisCommand("HGET", keys.delayedMessages($0.queue), $0.name) })
        // A message may have been promoted, after its name was read.
        return zip(entries, messages).compactMap { entry, message in
            DelayedTask(name: entry.name, queue: entry.queue, due: entry.due, entry: message.bytes)
        }
    }

    /// What a delayed set has of one message.
    private struct Entry {
        var queue: String
        var name: String
        var due: Double

        static func read(_ reply: RESPValue, of queue: String) -> [Entry] {
            let fields = reply.array ?? []
            return stride(from: 0, to: fields.count - 1, by: 2).compactMap { index in
                guard let name = fields[index].text, let due = fields[index + 1].text.flatMap(Double.init) else {
                    return nil
                }
                return Entry(queue: queue, name: name, due: due)
            }
        }
    }

    /// One delayed message.
    public func delayedTask(_ name: String) async throws -> DelayedTask? {
        let queues = try await queueNames()
        let replies = try await server.ask(
            queues.flatMap {
                [
                    RedisCommand("ZSCORE", keys.delayed($0), name),
                    RedisCommand("HGET", keys.delayedMessages($0), name),
                ]
            })
        return queues.enumerated().lazy.compactMap { index, queue in
            guard let due = replies[index * 2].text.flatMap(Double.init) else { return nil }
            return DelayedTask(name: name, queue: queue, due: due, entry: replies[index * 2 + 1].bytes)
        }.first
    }

    /// Changes a delayed message.
    public func change(_ task: DelayedTask, _ effects: Effects) async throws -> Bool {
        let step = keys.priorities.index(for: task.priority)
        var call = ScriptCall(.changeDelayed)
        call.append(key: keys.delayed(task.queue))
        call.append(key: keys.delayedMessages(task.queue))
        call.append(task.name)
        call.append([UInt8(ascii: "0") + UInt8(min(max(task.priority, 0), 9))] + task.payload)
        call.append(
            effects, from: keys.waiting(task.queue, step: step), keys, settings, now: Date().timeIntervalSince1970)
        return try await server.ask([call.command])[0].integer != 0
    }
}

extension DelayedTask {
    /// Reads a message as it is kept, behind the least priority of its step.
    fileprivate init?(name: String, queue: String, due: Double, entry: [UInt8]?) {
        guard let entry, let digit = entry.first, case let priority = Int(digit) - 0x30, 0...9 ~= priority else {
            return nil
        }
        self.init(
            name: name, queue: queue, dueAt: Date(timeIntervalSince1970: due), priority: priority,
            payload: Array(entry.dropFirst()))
    }
}
