// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker {
    /// Every queue that somebody used in the last 30 days, or that a worker watches now.
    public func queues() async throws -> [QueueReport] {
        let now = Date()
        let month: TimeInterval = 30 * 86_400
        let replies = try await ask([
            RedisCommand("ZREMRANGEBYSCORE", keys.queues, "-inf", now.timeIntervalSince1970 - month),
            RedisCommand("ZRANGE", keys.queues, 0, -1),
            RedisCommand("HGETALL", keys.processes), RedisCommand("SMEMBERS", keys.paused),
        ])
        let processes = Holder.read(replies[2])
        let paused = Set((replies[3].array ?? []).compactMap(\.text))
        let names = paused.union((replies[1].array ?? []).compactMap(\.text)).union(processes.flatMap(\.queues))
        var reports: [QueueReport] = []
        for name in names.sorted() {
            var report = try await report(name, processes, now)
            report.isPaused = paused.contains(name)
            reports.append(report)
        }
        return reports
    }

    private func report(_ queue: String, _ processes: [Holder], _ now: Date) async throws -> QueueReport {
        let lists = keys.waiting(allOf: queue)
        let leased = processes.flatMap { process in lists.map { keys.leased(process.identity, $0) } }
        let (replies, trouble) = try await askOfQueue(
            lists.map { RedisCommand("LLEN", $0) } + lists.map { RedisCommand("LINDEX", $0, -1) }
                + [RedisCommand("ZCARD", keys.scheduled(queue)), RedisCommand("ZCARD", keys.dead(queue))]
                + leased.map { RedisCommand("LLEN", $0) })
        let count = lists.count
        return QueueReport(
            queue: queue, waiting: replies[..<count].reduce(0) { $0 + ($1.integer ?? 0) },
            scheduled: replies[count * 2].integer ?? 0,
            leased: replies[(count * 2 + 2)...].reduce(0) { $0 + ($1.integer ?? 0) },
            dead: replies[count * 2 + 1].integer ?? 0,
            oldestWait: replies[count..<(count * 2)].lazy.compactMap(\.bytes).compactMap {
                MessageAge.seconds(of: $0, now: now)
            }.max(), trouble: trouble)
    }

    /// Asks about keys that anybody may have put something else into; the first such is told.
    private func askOfQueue(_ commands: [RedisCommand]) async throws -> ([RESPValue], trouble: String?) {
        try await translatingErrors { () throws(RedisError) in
            let replies = try await client.pipeline(commands)
            let errors = replies.compactMap(\.error)
            if let error = errors.first(where: { $0.code != .wrongType }) { throw error }
            return (replies, errors.first?.description)
        }
    }

    /// Deletes what waits.
    public func purge(_ queue: String, scheduled: Bool) async throws -> Int {
        var commands = keys.waiting(allOf: queue).flatMap { [RedisCommand("LLEN", $0), RedisCommand("DEL", $0)] }
        if scheduled {
            commands.append(RedisCommand("ZCARD", keys.scheduled(queue)))
            commands.append(RedisCommand("DEL", keys.scheduled(queue), keys.scheduledMessages(queue)))
        }
        // Counted and deleted by one pair of commands in one transaction, or a message could slip in between uncounted.
        let replies = try await ask([RedisCommand("MULTI")] + commands + [RedisCommand("EXEC")])
        let counts = try replies.last?.get().array ?? []
        return stride(from: 0, to: counts.count, by: 2).reduce(0) { $0 + (counts[$1].integer ?? 0) }
    }

    /// The processes whose heartbeat is there.
    public func workers() async throws -> [WorkerReport] {
        let processes = Holder.read(try await ask([RedisCommand("HGETALL", keys.processes)])[0])
        let replies = try await ask(
            processes.flatMap {
                [RedisCommand("HGETALL", keys.process($0.identity)), RedisCommand("PTTL", keys.process($0.identity))]
            })
        return processes.enumerated().compactMap { index, process in
            WorkerReport(
                identity: process.identity, fields: replies[index * 2], left: replies[index * 2 + 1].integer ?? 0)
        }.sorted { ($0.node, $0.identity) < ($1.node, $1.identity) }
    }

    /// Dead letters, newest first.
    public func deadLetters(in queue: String?, limit: Int) async throws -> [DeadLetter] {
        var letters: [DeadLetter] = []
        for ids in try await letterNames(in: queue, limit: limit) {
            letters += try await ask(ids.map(letter)).compactMap(read)
        }
        return Array(letters.sorted { $0.diedAt > $1.diedAt }.prefix(limit))
    }

    /// The same without the messages, of which only the sizes are asked for.
    public func deadLetterSummaries(in queue: String?, limit: Int) async throws -> [DeadLetterSummary] {
        var summaries: [DeadLetterSummary] = []
        for ids in try await letterNames(in: queue, limit: limit) {
            let replies = try await ask(
                ids.map { RedisCommand("HGET", keys.deadLetter($0), "letter") }
                    + ids.map { RedisCommand("HSTRLEN", keys.deadLetter($0), "message") })
            summaries += try zip(replies, replies.dropFirst(ids.count)).compactMap { story, size in
                try story.bytes.map { DeadLetterSummary(try Self.read(story: $0), size: size.integer ?? 0) }
            }
        }
        return Array(summaries.sorted { $0.letter.diedAt > $1.letter.diedAt }.prefix(limit))
    }

    /// The names of the newest letters of each queue. A letter may end with its time after its name was read.
    private func letterNames(in queue: String?, limit: Int) async throws -> [[String]] {
        let queues = if let queue { [queue] } else { try await queues().map(\.queue) }
        return try await ask(queues.map { RedisCommand("ZRANGE", keys.dead($0), 0, limit - 1, "REV") })
            .map { ($0.array ?? []).compactMap(\.text) }
    }

    /// One dead letter.
    public func deadLetter(_ id: String) async throws -> DeadLetter? {
        try read(await ask([letter(id)])[0])
    }

    /// Sends a dead letter's message again.
    public func requeueDeadLetter(_ id: String) async throws -> Bool {
        guard let letter = try await deadLetter(id) else { return false }
        let message = Recovery.again(letter)
        let list = keys.waiting(letter.queue, step: Priority.step(for: message.priority))
        let reply = try await ask([
            RedisScript.requeue.command(
                keys: [keys.deadLetter(id), keys.dead(letter.queue), list], id, message.payload)
        ])
        return reply[0].integer == 1
    }

    /// Deletes a dead letter.
    public func dropDeadLetter(_ id: String) async throws -> Bool {
        guard let letter = try await deadLetter(id) else { return false }
        let replies = try await ask([
            RedisCommand("ZREM", keys.dead(letter.queue), id), RedisCommand("DEL", keys.deadLetter(id)),
        ])
        return replies[1].integer == 1
    }

    private func letter(_ id: String) -> RedisCommand {
        RedisCommand("HMGET", keys.deadLetter(id), "letter", "message")
    }

    private func read(_ reply: RESPValue) throws -> DeadLetter? {
        guard let fields = reply.array, fields.count == 2, let story = fields[0].bytes else { return nil }
        var letter = try Self.read(story: story)
        letter.payload = fields[1].bytes ?? []
        return letter
    }

    private static func read(story: [UInt8]) throws -> DeadLetter {
        do {
            // Errors may repeat much of a message.
            return try JSON.decode(DeadLetter.self, from: story, limits: JSONLimits(bytes: .max))
        } catch {
            throw BrokerError(.damaged, "a dead letter cannot be read: \(error)", underlying: error)
        }
    }

    /// Sends commands, and throws the first error among the replies.
    func ask(_ commands: [RedisCommand]) async throws -> [RESPValue] {
        try await translatingErrors { () throws(RedisError) in
            let replies = try await client.pipeline(commands)
            for reply in replies { _ = try reply.get() }
            return replies
        }
    }
}

/// A process that may hold messages, as the hash of processes knows it.
struct Holder: Sendable, Hashable, Codable {
    var identity = ""
    var node: String
    var queues: [String]

    private enum CodingKeys: String, CodingKey {
        case node, queues
    }

    /// Reads the reply to HGETALL; what cannot be read is left out.
    static func read(_ reply: RESPValue) -> [Holder] {
        let fields = reply.array ?? []
        return stride(from: 0, to: fields.count - 1, by: 2).compactMap { index in
            guard let identity = fields[index].text, let json = fields[index + 1].bytes,
                var holder = try? JSON.decode(Holder.self, from: json)
            else { return nil }
            holder.identity = identity
            return holder
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
