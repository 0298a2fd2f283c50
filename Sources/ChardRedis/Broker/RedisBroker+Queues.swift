// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker {
    /// Every queue that somebody used in the last 30 days, that a worker watches now, or in which there is anything.
    public func queueNames() async throws -> [String] {
        try await known(at: Date()).names
    }

    /// The same queues with what is in them: two more round trips for all together, unless messages are large.
    public func queues() async throws -> [QueueReport] {
        let now = Date()
        let known = try await known(at: now)
        // Of thousands of queues nearly all are empty.
        let occupied = try await occupied(known.names).union(known.holders.flatMap(\.queues))
        var watching: [String: [Holder]] = [:]
        for holder in known.holders { for queue in holder.queues { watching[queue, default: []].append(holder) } }
        let questions = known.names.filter(occupied.contains).map {
            QueueQuestion($0, holders: watching[$0] ?? [], keys)
        }
        let replies = try await looking(questions.flatMap(\.commands))
        var place = 0
        var reports = known.names.filter { !occupied.contains($0) }.map { queue in
            QueueReport(
                queue: queue, waiting: 0, delayed: 0, leased: 0, dead: 0, isPaused: known.paused.contains(queue))
        }
        for question in questions {
            let own = Array(replies[place..<place + question.commands.count])
            place += own.count
            var report = try question.report(from: own)
            report.isPaused = known.paused.contains(question.queue)
            report.oldestWait = try await oldestWait(in: question.lists, question.next(in: own), now: now)
            reports.append(report)
        }
        let unread = try await unreadMessages(known.names, known.holders)
        for index in reports.indices { reports[index].unread = unread[reports[index].queue] ?? [] }
        return reports.sorted { $0.queue < $1.queue }
    }

    /// Of no more queues than that it is asked what nobody reads: each has some thirty such lists.
    static let mostLookedAt = 500

    /// What waits of the first of these queues where no worker looks, since a client has other settings of priorities.
    func unreadMessages(_ queues: [String], _ holders: [Holder]) async throws -> [String: [UnreadMessages]] {
        // Workers may have other settings, too, and a queue may have a name like such a list.
        var read = Set(queues.map { keys.waiting($0) })
        for holder in holders {
            let keys = holder.keys(like: keys)
            guard keys != self.keys else { continue }
            read.formUnion(holder.queues.flatMap { keys.waiting(allOf: $0) + keys.ripe(allOf: $0) })
        }
        let lists = queues.prefix(Self.mostLookedAt).map { queue in
            keys.unread(of: queue).filter { !read.contains($0.key) }
        }
        // Without a script: who may only read may do this. Who may not look there is told nothing of it.
        let questions = lists.map { lists in
            var question = RedisCommand("EXISTS")
            question.append(contentsOf: lists.map(\.key))
            return question
        }
        return try await translatingErrors { () throws(RedisError) in
            let replies = try await client.pipeline(questions)
            let found = zip(lists, replies).filter { $1.integer ?? 0 > 0 }.flatMap(\.0)
            let counts = try await client.pipeline(found.map { RedisCommand("LLEN", $0.key) })
            var messages: [String: [UnreadMessages]] = [:]
            for (list, count) in zip(found, counts) {
                guard let count = count.integer, count > 0 else { continue }
                messages[list.queue, default: []].append(UnreadMessages(list: list.words, count: count))
            }
            return messages
        }
    }

    /// Those of some queues in which there is anything, what is held apart.
    private func occupied(_ names: [String]) async throws -> Set<String> {
        let size = 2 * keys.steps.count + 2
        let most = (ScriptCall.most - 1) / size
        let portions = stride(from: 0, to: names.count, by: most).map { names[$0..<min($0 + most, names.count)] }
        return try await translatingErrors { () throws(RedisError) in
            let replies = try await client.pipeline(
                portions.map { RedisScript.occupied.command(keys: $0.flatMap(keys.contents(of:)), size) })
            var occupied: Set<String> = []
            for (portion, reply) in zip(portions, replies) {
                if let error = reply.error, error.isForWantOfCommand {
                    occupied.formUnion(try await occupiedOneByOne(portion))
                } else {
                    let places = try reply.get().array ?? []
                    occupied.formUnion(places.compactMap { $0.integer.map { portion[portion.startIndex + $0] } })
                }
            }
            return occupied
        }
    }

    /// The same where scripts are not to be had.
    private func occupiedOneByOne(_ names: ArraySlice<String>) async throws(RedisError) -> [String] {
        let replies = try await client.pipeline(
            names.map { name in
                var question = RedisCommand("EXISTS")
                question.append(contentsOf: keys.contents(of: name))
                return question
            })
        // Who may not even ask that looks at all of them.
        return zip(names, replies).filter { $1.error != nil || $1.integer != 0 }.map(\.0)
    }

    private struct Known {
        var names: [String]
        var holders: [Holder]
        var paused: Set<String>
    }

    private func known(at now: Date) async throws -> Known {
        let replies = try await server.ask([
            RedisCommand("ZRANGE", keys.queues, 0, -1),
            RedisCommand("ZRANGE", keys.queues, "-inf", now.timeIntervalSince1970 - RedisAccess.listed, "BYSCORE"),
            RedisCommand("HGETALL", keys.holders), RedisCommand("SMEMBERS", keys.paused),
        ])
        let holders = Holder.read(replies[2])
        let paused = Set((replies[3].array ?? []).compactMap(\.text))
        let used = paused.union(holders.flatMap(\.queues))
        var names = used.union((replies[0].array ?? []).compactMap(\.text))
        let old = (replies[1].array ?? []).compactMap(\.text).filter { !used.contains($0) }
        if !old.isEmpty { names.subtract(Set(old).subtracting(try await occupied(old))) }
        return Known(names: names.sorted(), holders: holders, paused: paused)
    }

    /// How long the oldest of some lists' next messages has existed. Of a large one there is only an excerpt: it is asked for
    /// whole, each alone, so that no more than one of them is here at a time.
    private func oldestWait(in lists: [String], _ next: [HeldMessage?], now: Date) async throws -> Double? {
        var oldest: Double?
        for (list, message) in zip(lists, next) {
            guard var payload = message?.payload else { continue }
            if message?.excerptOf != nil {
                payload = try await server.ask([RedisCommand("LINDEX", list, -1)])[0].bytes ?? []
            }
            guard let age = MessageAge.seconds(of: payload, now: now) else { continue }
            oldest = max(oldest ?? age, age)
        }
        return oldest
    }

    /// Deletes what waits.
    public func purge(_ queue: String, delayed: Bool) async throws -> Int {
        let lists = keys.waiting(allOf: queue) + keys.ripe(allOf: queue)
        var purge = lists
        if delayed { purge += [keys.delayed(queue), keys.delayedMessages(queue)] }
        return try await translatingErrors { () throws(RedisError) in
            try await client.run(RedisScript.purge, keys: purge, lists.count)
        }.integer ?? 0
    }
}

/// What is asked of the keys of one queue, and how the replies are read. Anybody may have put something else into them.
private struct QueueQuestion {
    let queue: String
    /// The lists of what is due, then those of what waits.
    let lists: [String]
    let commands: [RedisCommand]

    /// From so many bytes on, a message is not sent among the replies about all queues.
    private static let large = 64 << 10

    /// - Parameter holders: Those that serve it.
    init(_ queue: String, holders: [Holder], _ keys: RedisKeys) {
        let waiting = keys.waiting(allOf: queue)
        let lists = keys.ripe(allOf: queue) + waiting
        let leased = holders.flatMap { holder in
            let keys = holder.keys(like: keys)
            return keys.waiting(allOf: queue).map { keys.leased(holder.identity, $0) }
        }
        self.queue = queue
        self.lists = lists
        commands =
            lists.map { RedisCommand("LLEN", $0) }
            + lists.map { RedisScript.peek.command(keys: [$0], 1, Self.large, 0) }
            + [RedisCommand("ZCARD", keys.delayed(queue)), RedisCommand("ZCARD", keys.dead(queue))]
            + leased.map { RedisCommand("LLEN", $0) }
    }

    /// The counts. Of keys that hold something else, the first is told.
    func report(from replies: [RESPValue]) throws(BrokerError) -> QueueReport {
        let errors = replies.compactMap(\.error)
        if let error = errors.first(where: { $0.code != .wrongType }) { throw BrokerError(error) }
        let count = lists.count
        func sum(_ replies: ArraySlice<RESPValue>) -> Int { replies.reduce(0) { $0 + ($1.integer ?? 0) } }
        return QueueReport(
            queue: queue, waiting: sum(replies[..<count]), delayed: replies[count * 2].integer ?? 0,
            leased: sum(replies[(count * 2 + 2)...]), dead: replies[count * 2 + 1].integer ?? 0,
            trouble: errors.first?.description)
    }

    /// The message that is next in each waiting list.
    func next(in replies: [RESPValue]) -> [HeldMessage?] {
        replies[lists.count..<(lists.count * 2)].map { $0.array?.first.flatMap(HeldMessage.init) }
    }
}
