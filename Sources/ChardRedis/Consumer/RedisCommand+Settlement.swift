// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisCommand {
    /// Adds the first of these settlements, and as many of the next as are told together with it: plain successes of one
    /// list. Returns how many.
    mutating func append(
        _ settlements: some Collection<Settlement>, identity: String, broker: RedisBroker, now: Double
    ) -> Int {
        guard let first = settlements.first else { return 0 }
        guard let status = first.plainSuccess else {
            append("g")
            append(first, identity: identity, broker: broker, now: now)
            return 1
        }
        var bytes = 0
        let run = settlements.prefix { settlement in
            guard let other = settlement.plainSuccess, other.timeToLive == status.timeToLive,
                settlement.delivery.place == first.delivery.place, bytes < RedisBroker.batchBytes
            else { return false }
            bytes += settlement.delivery.payload.count + other.json.count
            return true
        }
        append("p")
        append(broker.keys.leased(identity, first.delivery.place))
        append(status.timeToLive?.milliseconds ?? 0)
        append(run.count)
        for settlement in run {
            append(settlement.delivery.payload)
            append(broker.keys.status(settlement.status?.id ?? ""))
            append(settlement.status?.json ?? [])
        }
        return run.count
    }

    /// Adds a settlement of any kind.
    private mutating func append(
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
    /// The status of a task that simply succeeded: nothing else comes of it.
    fileprivate var plainSuccess: StatusRecord? {
        guard case .finished = fate, followers.isEmpty, delivery.excerptOf == nil, let status, status.state == .success
        else { return nil }
        return status
    }

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
