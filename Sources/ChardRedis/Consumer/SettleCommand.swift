// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The call that settles as many as go into one script, and how its answers are read.
struct SettleCommand {
    /// What became of one settlement.
    enum Answer {
        case written([Effect.Answer])
        /// The message was not there: the lease is gone.
        case fenced
        /// The message stays leased, as a join wants it, and nothing is written.
        case withheld([Effect.Answer])
        /// The message stays leased, for this reason.
        case failed(RedisError)
        /// The message stays leased, since the batch it was to be dropped with does not stand as it was thought to.
        case untried

        var leavesMessage: Bool {
            switch self {
            case .written, .fenced: false
            case .withheld, .failed, .untried: true
            }
        }

        fileprivate init(_ reply: RESPValue) {
            if let error = reply.error {
                self = .failed(error)
            } else if reply.integer == 0 {
                self = .fenced
            } else {
                let said = [Effect.Answer](reply)
                self = reply.array?.first?.integer == 0 ? .withheld(said) : .written(said)
            }
        }
    }

    /// Settlements that are told together.
    private struct Run {
        enum Form {
            /// There is an answer for each.
            case each
            /// Dropped together, with one answer for all: their number, or anything else if nothing was dropped.
            case cut
            /// The same, with what the join of which all are members has to say.
            case members
        }

        var count: Int
        var form: Form
    }

    private var call = ScriptCall(.succeed)
    private var runs: [Run] = []

    var command: RedisCommand { call.command }

    /// Whether all it tells are simple successes.
    private(set) var isPlain = true

    /// How many settlements it tells.
    var count: Int { runs.reduce(0) { $0 + $1.count } }

    /// From how many on members of a join are worth being told together: among fewer there is a last one too often.
    private static let leastMembers = 16

    /// - Parameters:
    ///   - isFull: Whether the server's memory is full: then each is settled by itself.
    ///   - take: Takes deliveries out of what is known of their list: as a cut, and else none, or each by itself.
    init(
        _ settlements: [Settlement], identity: String, server: RedisAccess, now: Double, isFull: Bool = false,
        taking take: (_ deliveries: [Delivery], _ asCut: Bool) -> LeasedList.Cut?
    ) {
        let keys = server.keys
        var rest = settlements[...]
        // Where the memory is full, what makes no room must not slip in behind what does.
        let makesRoom = isFull ? settlements.first?.makesRoom : nil
        var triesMembers = !isFull
        while let first = rest.first, hasRoom(for: first), makesRoom == nil || first.makesRoom == makesRoom {
            let leased = keys.leased(identity, first.delivery.place)
            var run = isFull ? [] : Self.plainSuccesses(rest, atMost: (ScriptCall.most - call.count) / 3)
            let form: Run.Form
            if !run.isEmpty {
                let cut = take(run.map(\.delivery), true)
                if cut == nil { _ = take(run.map(\.delivery), false) }
                append(run, cut, leased, keys)
                form = cut == nil ? .each : .cut
            } else {
                isPlain = false
                let members = triesMembers ? Self.members(rest, atMost: (ScriptCall.most - call.count - 16) / 6) : []
                let isWorthIt = members.count >= Self.leastMembers
                if isWorthIt, let cut = take(members.map(\.delivery), true) {
                    run = members
                    append(members: run, cut, leased, keys)
                    form = .members
                } else {
                    // Where these cannot be cut, those behind them can not either.
                    triesMembers = triesMembers && !isWorthIt
                    run = rest.prefix(1)
                    _ = take([first.delivery], false)
                    append(first, asFull: isFull && first.makesRoom, leased, server, now)
                    form = .each
                }
            }
            runs.append(Run(count: run.count, form: form))
            rest = rest.dropFirst(run.count)
        }
    }

    /// Adds a settlement of any kind.
    private mutating func append(
        _ settlement: Settlement, asFull isFull: Bool, _ leased: String, _ server: RedisAccess, _ now: Double
    ) {
        let delivery = settlement.delivery
        call.script = .settle
        call.append(isFull ? "full" : "step")
        call.append(key: leased)
        call.append(delivery.payload)
        if let size = delivery.excerptOf { call.append(size) } else { call.append("") }
        call.append(settlement.effects, from: delivery.place, server.keys, server.settings, now: now)
    }

    /// Adds plain successes of one list.
    private mutating func append(
        _ run: ArraySlice<Settlement>, _ cut: LeasedList.Cut?, _ leased: String, _ keys: RedisKeys
    ) {
        guard let first = run.first?.plainSuccess, let payload = run.first?.delivery.payload.count else { return }
        if runs.isEmpty {
            // By the first one, with the lengths and line ends around each: most are like it, and nearly always in one run.
            let each = first.json.count + 8 + (cut == nil ? payload + 16 : 0)
            call.reserve(
                keys: run.count * (keys.status(first.id).utf8.count + 8) + leased.utf8.count + 16,
                arguments: min(run.count * each, RedisAccess.batchBytes) + 256)
        }
        call.append(cut == nil ? "each" : "cut")
        call.append(key: leased)
        if let cut { call.append(cut) }
        call.append(first.timeToLive?.milliseconds ?? 0)
        call.append(run.count)
        // By places, since to go through the elements copies each.
        for place in run.indices {
            guard let status = run[place].plainSuccess else { continue }
            if cut == nil { call.append(run[place].delivery.payload) }
            call.append(key: keys.status(status.id))
            call.append(status.json)
        }
    }

    /// Adds successes of members of one join.
    private mutating func append(
        members: ArraySlice<Settlement>, _ cut: LeasedList.Cut, _ leased: String, _ keys: RedisKeys
    ) {
        guard let first = members.first?.effects.memberSuccess else { return }
        call.script = .settle
        call.append("members")
        call.append(key: leased)
        call.append(cut)
        for key in keys.join(first.part.group) { call.append(key: key) }
        call.append(first.status.timeToLive?.milliseconds ?? 0)
        call.append(first.part.timeToLive?.milliseconds ?? -1)
        call.append(members.count)
        for settlement in members {
            guard let (part, status) = settlement.effects.memberSuccess else { continue }
            call.append(part.member)
            call.append(part.place)
            call.append(part.end)
            call.append(key: keys.status(status.id))
            call.append(status.json)
        }
    }

    private func hasRoom(for next: Settlement) -> Bool {
        guard !runs.isEmpty else { return true }
        // What can be dropped together is not torn into ever smaller pieces at the end of a call.
        let isOfMany = next.plainSuccess != nil || next.effects.memberSuccess != nil
        let words = isOfMany ? ScriptCall.most / 3 : 5 + next.effects.reduce(0) { $0 + $1.words }
        return call.size < RedisAccess.batchBytes && call.count + words <= ScriptCall.most
    }

    /// Whether all of them are written, and there is nothing to say about any: nearly always.
    func isWritten(by reply: [RESPValue]) -> Bool {
        var rest = reply[...]
        for run in runs {
            switch run.form {
            case .members:
                return false
            case .cut:
                guard rest.popFirst()?.integer == run.count else { return false }
            case .each:
                guard rest.count >= run.count, rest.prefix(run.count).allSatisfy({ $0.integer == 1 }) else {
                    return false
                }
                rest = rest.dropFirst(run.count)
            }
        }
        return true
    }

    /// An answer for each settlement that the command has room for, in their order.
    func answers(in reply: [RESPValue]) -> [Answer] {
        var rest = reply[...]
        var answers: [Answer] = []
        for run in runs {
            switch run.form {
            case .members:
                let said = rest.popFirst()?.array ?? []
                guard said.first?.integer == run.count, said.count > 1, let before = said[1].integer else {
                    answers += repeatElement(.untried, count: run.count)
                    continue
                }
                let total = said.count > 2 ? said[2].integer : nil
                answers += (1...run.count).lazy.map { .written([.join(.counted(before + $0, of: total))]) }
            case .cut:
                let isDropped = rest.popFirst()?.integer == run.count
                answers += repeatElement(isDropped ? .written([]) : .untried, count: run.count)
            case .each:
                answers += rest.prefix(run.count).lazy.map(Answer.init)
                rest = rest.dropFirst(run.count)
            }
        }
        return answers
    }

    /// The first of these settlements, as long as they are plain successes of one list that can be told together.
    private static func plainSuccesses(
        _ settlements: ArraySlice<Settlement>, atMost limit: Int
    ) -> ArraySlice<Settlement> {
        guard let first = settlements.first, let status = first.plainSuccess else { return [] }
        var bytes = 0
        // By places, since to go through the elements copies each.
        var place = settlements.startIndex
        let end = min(settlements.endIndex, place + max(1, limit))
        while place < end {
            guard let other = settlements[place].plainSuccess, other.timeToLive == status.timeToLive,
                settlements[place].delivery.place == first.delivery.place, bytes < RedisAccess.batchBytes
            else { break }
            bytes += settlements[place].delivery.payload.count + other.json.count
            place += 1
        }
        return settlements[..<place]
    }

    /// The first of these settlements, as long as they are successes of members of one join that can be told together.
    private static func members(_ settlements: ArraySlice<Settlement>, atMost limit: Int) -> ArraySlice<Settlement> {
        guard let first = settlements.first, let (part, status) = first.effects.memberSuccess else { return [] }
        var bytes = 0
        return settlements.prefix(max(1, limit)).prefix { settlement in
            guard settlement.delivery.excerptOf == nil, settlement.delivery.place == first.delivery.place,
                let other = settlement.effects.memberSuccess, other.part.group == part.group,
                other.part.timeToLive == part.timeToLive, other.status.timeToLive == status.timeToLive,
                bytes < RedisAccess.batchBytes
            else { return false }
            bytes += settlement.delivery.payload.count + other.part.end.count + other.status.json.count
            return true
        }
    }
}

extension ScriptCall {
    fileprivate mutating func append(_ cut: LeasedList.Cut) {
        append(cut.count)
        append(cut.newest.size)
        append(cut.newest.end)
        append(cut.kept.count)
        append(contentsOf: cut.kept)
    }
}

extension Settlement {
    /// Whether it takes about as much out of the server as it brings.
    var makesRoom: Bool {
        effects.reduce(0) { $0 + $1.size } <= (delivery.excerptOf ?? delivery.payload.count) + 4_096
    }

    /// The status of a task that simply succeeded: nothing else comes of it.
    fileprivate var plainSuccess: StatusRecord? {
        guard delivery.excerptOf == nil, let status = effects.onlyStatus, status.state == .success else { return nil }
        return status
    }
}
