// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// What the steps of all kinds write.
extension Transaction {
    /// A message that a step takes away, out of the leased or the delayed ones.
    struct Taken {
        var number: Int64
        var queue: String
        var step: Int
    }

    /// Writes effects, one after the other, and returns what they have to say. Unless it is put back, the message that the
    /// step takes away is deleted.
    @discardableResult
    mutating func write(_ effects: Effects, taking message: Taken? = nil) throws -> [Effect.Answer] {
        var answers: [Effect.Answer] = []
        var isPutBack = false
        for effect in effects {
            switch effect {
            case .push(let message):
                try send([message])
                if let dueAt = message.dueAt, dueAt > now { answers.append(.name(message.id)) }
            case .putBack(let payload):
                guard let message else { continue }
                if let payload {
                    try db.run("UPDATE message SET payload = ? WHERE number = ?", payload, message.number)
                }
                try putInFront(message.number, queue: message.queue, step: message.step)
                isPutBack = true
            case .store(let status): try store(status)
            case .bury(let letter): answers.append(.name(try bury(letter)))
            case .open(let opening): try open(opening)
            case .grow(let growth): try grow(growth)
            case .join(let part): answers.append(.join(try join(part)))
            case .record(let record): try change(record)
            }
        }
        if let message, !isPutBack { try forget(message.number) }
        return answers
    }
}
