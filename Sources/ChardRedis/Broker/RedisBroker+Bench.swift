// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension RedisBroker {
    /// The server's time on the processors since its start, in seconds; `nil` if it does not tell.
    package func processorSeconds() async throws -> Double? {
        let reply = try await translatingErrors { () throws(RedisError) in
            try await client.send(RedisCommand("INFO", "cpu"))
        }
        let lines = reply.text?.split(whereSeparator: \.isNewline) ?? []
        let times = lines.compactMap { line -> Double? in
            let parts = line.split(separator: ":")
            guard parts.count == 2, parts[0] == "used_cpu_sys" || parts[0] == "used_cpu_user" else { return nil }
            return Double(parts[1])
        }
        return times.isEmpty ? nil : times.reduce(0, +)
    }

    /// Removes what makes a queue known; for one that is empty and that nobody else uses.
    package func forget(queue: String) async throws {
        _ = try await translatingErrors { () throws(RedisError) in
            try await client.pipeline([
                RedisCommand("DEL", keys.binding(queue), keys.permanentBinding(queue)),
                RedisCommand("ZREM", keys.queues, queue),
            ])
        }
    }
}
