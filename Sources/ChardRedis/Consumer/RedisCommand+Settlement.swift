// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisCommand {
    /// Adds a settlement as the settling script takes it.
    mutating func append(
        _ settlement: Settlement, identity: String, broker: RedisBroker, now: Double
    ) {
        let keys = broker.keys
        append(keys.leased(identity, settlement.delivery.place))
        append(settlement.delivery.payload)
        append(settlement.letterOfFate)
        if let size = settlement.delivery.excerptOf { append(size) }
        switch settlement.fate {
        case .finished: break
        case .returned: append(settlement.delivery.place)
        case .dead(let letter): append(letter, broker: broker)
        }
        if let status = settlement.status {
            append(status, keys: keys)
        } else {
            append("")
        }
        append(settlement.followers.count)
        for follower in settlement.followers {
            if let dueAt = follower.dueAt?.timeIntervalSince1970, dueAt > now {
                append("s")
                append(keys.scheduled(follower.queue))
                append(keys.scheduledMessages(follower.queue))
                append(follower.queue)
                append(dueAt)
                append(follower.id)
                append(follower.scheduledEntry)
            } else {
                append("n")
                append(keys.waiting(follower.queue, step: Priority.step(for: follower.priority)))
                append(follower.payload)
            }
        }
    }

    /// Adds a dead letter as the scripts take it, without the message, which they have.
    mutating func append(_ letter: DeadLetter, broker: RedisBroker) {
        var story = letter
        story.payload = []
        var fields = (try? JSON(encoding: story))?.object ?? [:]
        fields["id"] = nil
        append(broker.keys.deadLetter(""))
        append(letter.id.isEmpty ? TaskID.random() : letter.id)
        append(broker.keys.dead(letter.queue))
        append(Array(JSON.object(fields).encoded().dropLast()))
        append(broker.settings.deadLetterTimeToLive.milliseconds)
        append(broker.settings.deadLetterLimit)
    }
}

extension Settlement {
    /// The fate as the settling script calls it, as a capital where of the message only an excerpt is known.
    fileprivate var letterOfFate: String {
        let isExcerpt = delivery.excerptOf != nil
        return switch fate {
        case .finished: isExcerpt ? "F" : "f"
        case .returned: isExcerpt ? "R" : "r"
        case .dead: isExcerpt ? "D" : "d"
        }
    }
}
