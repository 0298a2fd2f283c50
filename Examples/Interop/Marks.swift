// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials

/// Leaves marks in Redis, which show from outside what ran, when, where and how often.
struct Marks: Sendable {
    let app: Chard

    /// Appends `{"value", "time", "pid"}` to the list `interop:<key>`, whatever the namespace is: both peers write there.
    func push(_ key: String, _ value: JSON?) async throws {
        // The broker is known once the command line has been read.
        guard let broker = try app.broker as? RedisBroker else {
            throw TaskError("RuntimeError", "marks are kept in Redis, and this worker's broker is another")
        }
        let entry: JSON = [
            "value": value ?? .null, "time": .number(Date().timeIntervalSince1970),
            "pid": .integer(Int(ProcessInfo.processInfo.processIdentifier)),
        ]
        _ = try await broker.client.send(RedisCommand("RPUSH", "interop:\(key)", entry.encoded()))
    }
}

/// Tasks that can be seen to have run: `mark`, `mark_sleep`, `on_error`.
struct MarkTasks: TaskSet {
    init(_ app: Chard) {
        app.task(Namespace.name("mark"), parameters: ["key", "value"]) {
            (context: TaskContext, key: String, value: JSON?) in
            try await context.dependencies.get(Marks.self).push(key, value)
            return value
        }

        app.task(Namespace.name("mark_sleep"), parameters: ["key", "seconds", "value"]) {
            (context: TaskContext, key: String, seconds: Double, value: JSON?) in
            let marks = try context.dependencies.get(Marks.self)
            try await marks.push(key, value)
            try await sleep(seconds)
            try await marks.push("\(key):done", value)
            return value
        }

        app.task(Namespace.name("on_error"), parameters: ["failed_id"]) { (context: TaskContext, failedID: JSON) in
            try await context.dependencies.get(Marks.self).push("on_error", failedID)
        }
    }
}
