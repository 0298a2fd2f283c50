// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The command that settles as many as go into one script, and how its answers are read.
struct SettleCommand {
    /// What became of one settlement.
    enum Answer {
        case written
        /// The message was not there: the lease is gone.
        case fenced
        /// The message stays leased, for this reason.
        case failed(RedisError)
        /// The message stays leased, since the batch it was to be dropped with does not stand as it was thought to.
        case untried

        var leavesMessage: Bool {
            switch self {
            case .written, .fenced: false
            case .failed, .untried: true
            }
        }
    }

    /// Settlements that are told together.
    private struct Run {
        var count: Int
        /// Dropped together, with one answer for all: their number, or anything else if nothing was dropped. Otherwise there
        /// is an answer for each.
        var isCut: Bool
    }

    private(set) var command: RedisCommand
    private var runs: [Run] = []

    /// - Parameter take: Takes deliveries out of what is known of their list; as a cut where that is wanted and possible.
    init(
        _ settlements: [Settlement], identity: String, broker: RedisBroker, now: Double,
        taking take: (_ deliveries: [Delivery], _ asCut: Bool) -> LeasedList.Cut?
    ) {
        command = RedisScript.settle.command(keys: [broker.keys.due])
        var rest = settlements[...]
        while let first = rest.first, runs.isEmpty || command.size < RedisBroker.batchBytes {
            let run = Self.plainSuccesses(rest)
            let count = max(1, run.count)
            let cut = take(rest.prefix(count).map(\.delivery), !run.isEmpty)
            if let status = run.first?.status {
                command.append(cut == nil ? "p" : "c")
                command.append(broker.keys.leased(identity, first.delivery.place))
                command.append(status.timeToLive?.milliseconds ?? 0)
                command.append(run.count)
                if let cut { command.append(cut) }
                for settlement in run {
                    if cut == nil { command.append(settlement.delivery.payload) }
                    command.append(broker.keys.status(settlement.status?.id ?? ""))
                    command.append(settlement.status?.json ?? [])
                }
            } else {
                command.append("g")
                command.append(first, identity: identity, broker: broker, now: now)
            }
            runs.append(Run(count: count, isCut: cut != nil))
            rest = rest.dropFirst(count)
        }
    }

    /// An answer for each settlement that the command has room for, in their order.
    func answers(in reply: [RESPValue]) -> [Answer] {
        var rest = reply[...]
        var answers: [Answer] = []
        for run in runs {
            if run.isCut {
                let isDropped = rest.popFirst()?.integer == run.count
                answers += repeatElement(isDropped ? .written : .untried, count: run.count)
                continue
            }
            for answer in rest.prefix(run.count) {
                answers.append(answer.error.map { .failed($0) } ?? (answer.integer == 0 ? .fenced : .written))
            }
            rest = rest.dropFirst(run.count)
        }
        return answers
    }

    /// The first of these settlements, as long as they are plain successes of one list that can be told together.
    private static func plainSuccesses(_ settlements: ArraySlice<Settlement>) -> ArraySlice<Settlement> {
        guard let first = settlements.first, let status = first.plainSuccess else { return [] }
        var bytes = 0
        return settlements.prefix { settlement in
            guard let other = settlement.plainSuccess, other.timeToLive == status.timeToLive,
                settlement.delivery.place == first.delivery.place, bytes < RedisBroker.batchBytes
            else { return false }
            bytes += settlement.delivery.payload.count + other.json.count
            return true
        }
    }
}

extension RedisCommand {
    fileprivate mutating func append(_ cut: LeasedList.Cut) {
        append(cut.count)
        append(cut.newest.size)
        append(cut.newest.end)
        append(cut.kept.count)
        append(contentsOf: cut.kept)
    }

    /// Adds a settlement of any kind.
    fileprivate mutating func append(
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
