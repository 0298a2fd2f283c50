// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a key must hold for tasks to go their way.
struct TypedKey: Sendable, Hashable {
    let key: String
    /// As the server's TYPE names it.
    let type: String
}

extension RedisKeys {
    /// The keys on which every worker depends.
    var typed: [TypedKey] {
        let all = [
            "hash": [holders], "zset": [queues, revoked, records, historySegments], "set": [paused, schedules],
            "stream": [orderLog], "string": [orders, duty, news, seal, scheduleChanges, historyYoung],
        ]
        return all.flatMap { type, keys in keys.map { TypedKey(key: $0, type: type) } }
    }

    /// The keys on which a queue depends.
    func typed(of queue: String) -> [TypedKey] {
        let all = [
            "list": waiting(allOf: queue) + ripe(allOf: queue), "zset": [delayed(queue), dead(queue)],
            "hash": [delayedMessages(queue), deadLetters(queue), deadMessages(queue)],
            "set": [binding(queue), permanentBinding(queue)],
        ]
        return all.flatMap { type, keys in keys.map { TypedKey(key: $0, type: type) } }
    }
}
