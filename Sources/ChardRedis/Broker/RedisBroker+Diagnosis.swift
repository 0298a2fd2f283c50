// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: DiagnosableBroker {
    /// Looks at the server's version, eviction policy, persistence, memory, connections and clock.
    public func diagnose() async throws -> [Finding] {
        let before = Date()
        let replies = try await translatingErrors { () throws(RedisError) in
            try await client.pipeline([RedisCommand("INFO"), RedisCommand("TIME")])
        }
        let middle = Date(timeIntervalSince1970: (before.timeIntervalSince1970 + Date().timeIntervalSince1970) / 2)
        var findings: [Finding] = []
        if let error = replies[0].error {
            guard error.isForWantOfCommand else { throw BrokerError(error) }
            findings.append(.noInfo(error))
        } else {
            findings += ServerInfo(replies[0].text ?? "").findings
        }
        if let parts = replies[1].array, let seconds = parts[0].text.flatMap(Double.init),
            let micros = parts[1].text.flatMap(Double.init)
        {
            findings.append(Self.clock(seconds + micros / 1e6 - middle.timeIntervalSince1970))
        }
        return findings
    }

    private static func clock(_ offset: Double) -> Finding {
        let text = "the server's clock differs by \(Int((offset * 1000).rounded())) ms from this machine's"
        guard abs(offset) > 1 else { return Finding(.fine, "clock", text) }
        return Finding(
            .warning, "clock", text,
            advice:
                "set both by NTP: a client reckons countdowns by its own clock, the server decides when they are over")
    }

    /// Looks at what this user may do, at workers' heartbeats, and at what waits for its time.
    public func examine() async throws -> [Finding] {
        let queues = try await queueNames()
        return [
            try await rights(queues), try await heartbeats(), try await delayedMessages(queues),
            try await bindings(queues),
        ].compactMap(\.self) + (try await settingsOfServer())
    }

    /// What of the server's settings its account of itself leaves out, where this user may read it.
    private func settingsOfServer() async throws -> [Finding] {
        let replies = try await translatingErrors { () throws(RedisError) in
            try await client.pipeline([
                RedisCommand("INFO"), RedisCommand("CONFIG", "GET", "appendfsync"),
                RedisCommand("CONFIG", "GET", "min-replicas-to-write"),
            ])
        }
        let info = ServerInfo(replies[0].text ?? "")
        return [
            replies[1].settingValue.flatMap(info.syncing),
            replies[2].settingValue.flatMap { Int($0) }.flatMap(info.missingReplicas),
        ].compactMap(\.self)
    }

    /// Whether this user may do what a worker does: tried in a transaction that is given up, so that nothing of it is done.
    private func rights(_ queues: [String]) async throws -> Finding {
        let rights = WorkerRights(queues.isEmpty ? ["celery"] : queues, identity: "doctor", keys)
        return try await translatingErrors { () throws(RedisError) in
            // Of its own, and never opened anew: the commands must not be sent outside of the transaction.
            let connection = try await RedisConnection.connect(
                to: server.url, options: server.options, on: client.eventLoop)
            var missing = WorkerRights.Missing()
            do throws(RedisError) {
                _ = try await connection.send(RedisCommand("MULTI"))
            } catch {
                await connection.close()
                return .noTrial(error)
            }
            let trials = rights.commands
            let channels = [keys.orders, keys.due].map { RedisCommand("SUBSCRIBE", $0) }
            let replies = try await connection.pipeline(trials + channels + rights.commandsForKeys)
            await connection.close()
            missing = rights.missing(in: Array(replies.prefix(trials.count)))
            for reply in replies[trials.count..<(trials.count + channels.count)] {
                guard let error = reply.error, error.code == .noPermission else { continue }
                missing.note(error, command: "subscribe", channel: "chard:*", keys)
            }
            missing.rules.formUnion(
                rights.missingKeys(in: Array(replies.dropFirst(trials.count + channels.count))))
            return .rights(missing.error(server.url.peer))
        }
    }

    /// Whether kombu's routing tables of the queues can be read by kombu: an entry with another separator ends every call of a
    /// client there.
    private func bindings(_ queues: [String]) async throws -> Finding? {
        let tables = queues.prefix(Self.mostLookedAt).flatMap { [keys.binding($0), keys.permanentBinding($0)] }
        let replies = try await translatingErrors { () throws(RedisError) in
            try await client.pipeline(tables.map { RedisCommand("SMEMBERS", $0) })
        }
        let separator = Array(keys.priorities.separator.utf8)
        let bad = zip(tables, replies).first { _, reply in
            (reply.array ?? []).contains { member in
                (member.bytes ?? []).split(separator: separator, omittingEmptySubsequences: false).count != 3
            }
        }
        guard let (table, _) = bad else { return nil }
        return Finding(
            .danger, "bindings",
            "\(table.printable()) has an entry with another separator, on which Celery's clients fail",
            advice: "give all sides the same sep, then delete that key: whoever sends or serves writes it anew")
    }

    private func heartbeats() async throws -> Finding? {
        let holders = Holder.read(try await server.ask([RedisCommand("HGETALL", keys.holders)])[0])
        let replies = try await server.ask(
            holders.flatMap { holder in
                [
                    RedisCommand("PTTL", keys.heartbeat(holder.identity)),
                    RedisCommand("HGET", keys.heartbeat(holder.identity), "lease"),
                ]
            })
        let endless = holders.indices.filter { index in
            let left = replies[index * 2].integer ?? 0
            let lease = replies[index * 2 + 1].text.flatMap { Int($0) } ?? settings.lease.milliseconds
            return left == -1 || left > lease * 2
        }.map { holders[$0].identity }
        guard let first = endless.first else { return nil }
        return Finding(
            .danger, "heartbeats",
            "\(endless.joined(separator: ", ")): the heartbeat has no end, or one far ahead, as after a step of the "
                + "server's clock; should the process be gone, what it held is not given back",
            advice: "unless 'workers' shows it at work: redis-cli DEL \(keys.heartbeat(first))")
    }

    /// Whether delayed messages are what they should be, and are moved when they are due.
    private func delayedMessages(_ queues: [String]) async throws -> Finding? {
        let replies = try await translatingErrors { () throws(RedisError) in
            try await client.pipeline(
                queues.flatMap { queue in
                    [
                        RedisCommand("ZRANGE", keys.delayed(queue), 0, 0, "WITHSCORES"),
                        RedisCommand("ZCARD", keys.delayed(queue)), RedisCommand("HLEN", keys.delayedMessages(queue)),
                        RedisCommand("TIME"),
                    ]
                })
        }
        for (index, queue) in queues.enumerated() {
            let own = replies[(index * 4)..<(index * 4 + 4)].map(\.self)
            if let error = own.prefix(3).compactMap(\.error).first {
                return Finding(
                    .danger, "scheduled", "what waits for its time in \(queue) cannot be used: \(error)",
                    advice: "look who has put something else into that key, and delete or rename it")
            }
            if own[1].integer != own[2].integer {
                return Finding(
                    .warning, "scheduled",
                    "\(queue): \(own[1].integer ?? 0) tasks have a time, and \(own[2].integer ?? 0) a message",
                    advice: "somebody else writes to \(keys.delayed(queue)) or to the hash beside it")
            }
            guard let due = own[0].array?.last?.text.flatMap(Double.init),
                let now = own[3].array?.first?.text.flatMap(Double.init), now - due > 60
            else { continue }
            return Finding(
                .warning, "scheduled",
                "\(queue): a task is overdue by \(Int(now - due)) s, and \(own[1].integer ?? 0) wait for their time",
                advice: "start a worker of \(queue): only Chard's workers move them")
        }
        return nil
    }
}

extension RESPValue {
    /// The value of one setting, as CONFIG GET answers it; `nil` where it is not told.
    fileprivate var settingValue: String? { array?.count == 2 ? array?[1].text : nil }
}

extension Finding {
    fileprivate static func noInfo(_ error: RedisError) -> Finding {
        Finding(
            .warning, "server",
            "INFO is refused, so that version, memory, eviction and persistence are not known: \(error.message)",
            advice: error.isUnknownCommand
                ? "ask whoever looks after the server, or the proxy before it" : "ACL SETUSER USER +info")
    }

    fileprivate static func noTrial(_ error: RedisError) -> Finding {
        Finding(
            .warning, "rights", "what this user may do is not known: MULTI is refused: \(error.message)",
            advice: error.isUnknownCommand ? "a proxy that knows no transactions" : "ACL SETUSER USER +multi")
    }

    fileprivate static func rights(_ error: BrokerError?) -> Finding {
        guard let error else { return Finding(.fine, "rights", "this user may do all that a worker does") }
        return Finding(
            .warning, "rights", error.message, advice: "unless this user is not for workers: see docs/redis.md")
    }
}
