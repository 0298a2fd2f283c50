// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

extension Transaction {
    /// Takes a delayed message away and writes effects, unless it is not what it was. Returns whether that was done.
    mutating func change(_ task: DelayedTask, _ effects: Effects) throws -> Bool {
        let message = try db.value(
            Int64.self,
            """
            SELECT delayed.message FROM delayed JOIN message ON message.number = delayed.message
            WHERE delayed.id = ? AND due = ? AND payload = ? LIMIT 1
            """, task.name, task.dueAt.timeIntervalSince1970, task.payload)
        guard let message else { return false }
        try db.run("DELETE FROM delayed WHERE message = ?", message)
        let taken = Taken(number: message, queue: task.queue, step: Priority.step(for: task.priority))
        try write(effects, taking: taken)
        return true
    }
}
