// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker {
    /// The processes whose heartbeat is there.
    public func workers() async throws -> [WorkerReport] {
        let processes = Holder.read(try await server.ask([RedisCommand("HGETALL", keys.holders)])[0])
        let replies = try await server.ask(
            processes.flatMap {
                [
                    RedisCommand("HGETALL", keys.heartbeat($0.identity)),
                    RedisCommand("PTTL", keys.heartbeat($0.identity)),
                ]
            })
        return processes.enumerated().compactMap { index, process in
            WorkerReport(
                identity: process.identity, fields: replies[index * 2], left: replies[index * 2 + 1].integer ?? 0)
        }.sorted { ($0.node, $0.identity) < ($1.node, $1.identity) }
    }

    /// Dead letters, newest first.
    public func deadLetters(in queue: String?, limit: Int) async throws -> [DeadLetter] {
        var letters: [DeadLetter] = []
        for (queue, names) in try await letterNames(in: queue, limit: limit) {
            for stories in stride(from: 0, to: names.count, by: 100) {
                let some = names[stories..<min(stories + 100, names.count)]
                letters += try await self.letters(some, in: queue)
            }
        }
        return Array(letters.sorted { $0.diedAt > $1.diedAt }.prefix(limit))
    }

    /// The same without the messages, of which only the sizes are asked for.
    public func deadLetterSummaries(in queue: String?, limit: Int) async throws -> [DeadLetterSummary] {
        let letters = try await letterNames(in: queue, limit: limit).flatMap { queue, names in
            names.map { (queue: queue, name: $0) }
        }
        let replies = try await server.ask(
            letters.map { RedisCommand("HGET", keys.deadLetters($0.queue), $0.name) }
                + letters.map { RedisCommand("HSTRLEN", keys.deadMessages($0.queue), $0.name) })
        let summaries = try zip(replies, replies.dropFirst(letters.count)).compactMap { story, size in
            try story.bytes.map { DeadLetterSummary(try Self.read(story: $0), size: size.integer ?? 0) }
        }
        return Array(summaries.sorted { $0.letter.diedAt > $1.letter.diedAt }.prefix(limit))
    }

    /// The names of the newest letters of each queue whose time is not over. A letter may end after its name was read.
    private func letterNames(in queue: String?, limit: Int) async throws -> [(queue: String, names: [String])] {
        let queues = if let queue { [queue] } else { try await queueNames() }
        let oldest = Date().timeIntervalSince1970 - settings.deadLetterTimeToLive.seconds
        let replies = try await server.ask(
            queues.map { RedisCommand("ZRANGE", keys.dead($0), "+inf", oldest, "BYSCORE", "REV", "LIMIT", 0, limit) })
        return zip(queues, replies).map { queue, reply in (queue, (reply.array ?? []).compactMap(\.text)) }
    }

    private func letters(_ names: some Collection<String>, in queue: String) async throws -> [DeadLetter] {
        let replies = try await server.ask(
            names.flatMap {
                [
                    RedisCommand("HGET", keys.deadLetters(queue), $0),
                    RedisCommand("HGET", keys.deadMessages(queue), $0),
                ]
            })
        return try stride(from: 0, to: replies.count, by: 2).compactMap { index in
            guard let story = replies[index].bytes else { return nil }
            var letter = try Self.read(story: story)
            letter.payload = replies[index + 1].bytes ?? []
            return letter
        }
    }

    /// One dead letter, in whichever queue it is.
    public func deadLetter(_ id: String) async throws -> DeadLetter? {
        let queues = try await queueNames()
        let found = try await server.ask(queues.map { RedisCommand("HEXISTS", keys.deadLetters($0), id) })
        guard let index = found.firstIndex(where: { $0.integer == 1 }) else { return nil }
        return try await letters([id], in: queues[index]).first
    }

    /// Sends a dead letter's message again.
    public func requeueDeadLetter(_ id: String) async throws -> Bool {
        guard let letter = try await deadLetter(id) else { return false }
        return try await take(letter, [.push(letter.again)])
    }

    /// Deletes a dead letter.
    public func dropDeadLetter(_ id: String) async throws -> Bool {
        guard let letter = try await deadLetter(id) else { return false }
        return try await take(letter, [])
    }

    /// Takes a letter away and writes effects, if it is still there.
    private func take(_ letter: DeadLetter, _ effects: Effects) async throws -> Bool {
        var call = ScriptCall(.takeLetter)
        call.append(key: keys.dead(letter.queue))
        call.append(key: keys.deadLetters(letter.queue))
        call.append(key: keys.deadMessages(letter.queue))
        call.append(letter.id)
        call.append(effects, keys, settings, now: 0)
        return try await server.ask([call.command])[0].integer != 0
    }

    private static func read(story: [UInt8]) throws -> DeadLetter {
        do {
            // Errors may repeat much of a message.
            return try JSON.decode(DeadLetter.self, from: story, limits: JSONLimits(bytes: .max))
        } catch {
            throw BrokerError(.damaged, "a dead letter cannot be read: \(error)", underlying: error)
        }
    }
}

extension WorkerReport {
    /// Reads a heartbeat with `left` ms to live; `nil` if there is none.
    init?(identity: String, fields reply: RESPValue, left: Int) {
        let fields = reply.array ?? []
        var values: [String: RESPValue] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            if let name = fields[index].text { values[name] = fields[index + 1] }
        }
        guard let node = values["node"]?.text else { return nil }
        let lease = values["lease"]?.text.flatMap(Int.init)
        self.init(
            node: node, identity: identity, pid: values["pid"]?.text.flatMap(Int.init) ?? 0,
            queues: values["queues"]?.bytes.flatMap { try? JSON.decode([String].self, from: $0) } ?? [],
            concurrency: values["concurrency"]?.text.flatMap(Int.init) ?? 0,
            startedAt: values["started"]?.text.flatMap(Double.init) ?? 0,
            seenAt: Date().timeIntervalSince1970 - Double((lease ?? left) - left) / 1000,
            vitals: values["vitals"]?.bytes.flatMap { try? JSON.decode(Vitals.self, from: $0) } ?? Vitals())
    }
}
