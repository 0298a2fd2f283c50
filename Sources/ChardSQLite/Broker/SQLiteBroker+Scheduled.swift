// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension SQLiteBroker: SchedulingBroker {
    /// What waits for its time.
    public func scheduledTasks(in queue: String?, limit: Int) async throws -> [ScheduledTask] {
        try await engine.read { db in
            let rows = try db.rows(
                """
                SELECT scheduled.id, queue, due, step, payload FROM scheduled
                JOIN message ON message.number = scheduled.message
                WHERE ?1 IS NULL OR queue = ?1 ORDER BY due LIMIT ?2
                """, queue, limit)
            var tasks: [ScheduledTask] = []
            while let row = try rows.next() { tasks.append(try ScheduledTask(row)) }
            return tasks
        }
    }

    /// One scheduled message: of several with this id, the earliest.
    public func scheduledTask(_ name: String) async throws -> ScheduledTask? {
        try await engine.read { db in
            let rows = try db.rows(
                """
                SELECT scheduled.id, queue, due, step, payload FROM scheduled
                JOIN message ON message.number = scheduled.message WHERE scheduled.id = ? ORDER BY due LIMIT 1
                """, name)
            return try rows.next().map(ScheduledTask.init)
        }
    }

    /// Changes a scheduled message.
    public func change(_ task: ScheduledTask, _ change: ScheduledChange) async throws -> Bool {
        try await engine.write(durably: true) { transaction in try transaction.change(task, change) }
    }
}

extension ScheduledTask {
    fileprivate init(_ row: Row) throws {
        let step: Int = row[3]
        self.init(
            name: row[0], queue: row[1], dueAt: Date(timeIntervalSince1970: row[2]), priority: Priority.steps[step],
            payload: try row.bytes(4))
    }
}

extension Transaction {
    fileprivate mutating func change(_ task: ScheduledTask, _ change: ScheduledChange) throws -> Bool {
        let message = try db.value(
            Int64.self,
            """
            SELECT scheduled.message FROM scheduled JOIN message ON message.number = scheduled.message
            WHERE scheduled.id = ? AND due = ? AND payload = ? LIMIT 1
            """, task.name, task.dueAt.timeIntervalSince1970, Data(task.payload))
        guard let message else { return false }
        switch change {
        case .cancel(let status):
            try db.run("DELETE FROM scheduled WHERE message = ?", message)
            try forget(message)
            if let status { try store(status) }
        case .move(let date, let payload):
            try db.run("UPDATE message SET payload = ? WHERE number = ?", Data(payload), message)
            try db.run(
                "UPDATE scheduled SET due = ? WHERE message = ?", date.timeIntervalSince1970, message)
            tellDue(at: date)
        case .run(let payload):
            try db.run("UPDATE message SET payload = ? WHERE number = ?", Data(payload), message)
            try db.run("DELETE FROM scheduled WHERE message = ?", message)
            try putInFront(message, queue: task.queue, step: Priority.step(for: task.priority))
        }
        return true
    }
}
