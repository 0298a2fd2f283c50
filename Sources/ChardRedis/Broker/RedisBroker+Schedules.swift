// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging

extension RedisBroker: ScheduleStore {
    /// All schedules.
    public func schedules() async throws -> ScheduleBoard {
        // The number first: a change in between makes the board look old, and it is read again.
        let replies = try await server.ask([
            RedisCommand("GET", keys.scheduleChanges), RedisCommand("SMEMBERS", keys.schedules),
        ])
        let names = (replies[1].array ?? []).compactMap(\.text).sorted()
        let fields = try await server.ask(
            names.map {
                RedisCommand(
                    "HMGET", keys.schedule($0), "version", "configuration", "last", "tick", "at", "task", "sent",
                    "dropped"
                )
            })
        let records = zip(names, fields).compactMap { name, reply -> ScheduleRecord? in
            guard let fields = reply.array, let version = fields[0].text.flatMap({ Int($0) }),
                let configuration = fields[1].bytes
            else { return nil }
            return ScheduleRecord(
                name, version: version, configuration: configuration,
                progress: ScheduleRecord.Progress(fields[2...]))
        }
        return ScheduleBoard(revision: replies[0].text.flatMap { Int($0) } ?? 0, records: records)
    }

    /// The number of the last change, and the server's time.
    public func scheduleRevision() async throws -> (revision: Int, now: Date) {
        let replies = try await server.ask([RedisCommand("GET", keys.scheduleChanges), RedisCommand("TIME")])
        let time = (replies[1].array ?? []).compactMap { $0.text.flatMap { Double($0) } }
        guard time.count == 2 else { throw BrokerError(.damaged, "the server's answer to TIME is no time") }
        return (replies[0].text.flatMap { Int($0) } ?? 0, Date(timeIntervalSince1970: time[0] + time[1] / 1e6))
    }

    /// Puts a record in its place.
    public func keep(_ record: ScheduleRecord, replacing version: Int, restarting: Bool) async throws -> Bool {
        let configuration = try record.configuration()
        return try await translatingErrors { () throws(RedisError) in
            try await client.run(
                RedisScript.keepSchedule, keys: keys.forSchedule(record.name), record.name, version, configuration,
                restarting ? "1" : "0", ScheduleRecord.Progress.mostAhead)
        }.integer == 1
    }

    /// Forgets a schedule.
    public func forgetSchedule(_ name: String, version: Int) async throws -> Bool {
        try await translatingErrors { () throws(RedisError) in
            try await client.run(RedisScript.forgetSchedule, keys: keys.forSchedule(name), name, version)
        }.integer == 1
    }

    /// Deals with ticks.
    public func send(_ step: TickStep) async throws -> TickReceipt {
        var call = ScriptCall(.tick)
        call.append(key: keys.schedule(step.name))
        for number in [step.version, step.last, step.upTo, step.notBefore, step.dropped, step.messages.count] {
            call.append(number)
        }
        call.append(step.messages.last?.id ?? "")
        call.append(step.effects, keys, settings, now: Date().timeIntervalSince1970)
        let queues = step.messages.lazy.map(\.queue)
        let reply = try await server.ask(server.bindings(of: queues) + [call.command]).last ?? .null
        server.noteBound(queues)
        if let fields = reply.array, fields.first?.text == "" {
            return .overtaken(ScheduleRecord.Progress(fields[1...]))
        }
        return switch reply.integer {
        case 0: .early
        case -1: .changed
        default: .done
        }
    }

    /// How many listen to the channel on which changes are told: beats do, and nobody else.
    public func countBeats() async throws -> Int? {
        let reply = try await server.ask([RedisCommand("PUBSUB", "NUMSUB", keys.scheduleChanges)]).first
        return reply?.array?.last?.integer
    }

    /// Calls `action` whenever schedules have changed, or may have while nobody could tell.
    public func watchSchedules(_ action: @escaping @Sendable () -> Void) async throws -> any Sendable {
        server.listen(to: keys.scheduleChanges, { _ in action() }, whenSubscribed: action)
    }
}

extension ScheduleRecord.Progress {
    /// Reads the fields last, tick, at, task, sent, dropped.
    fileprivate init(_ fields: ArraySlice<RESPValue>) {
        let fields = Array(fields)
        func number(_ index: Int) -> Int? { fields[index].text.flatMap { Int($0) } }
        self.init(
            last: number(0) ?? 0, sentTick: number(1), sentAt: number(2), taskID: fields[3].text, sent: number(4) ?? 0,
            dropped: number(5) ?? 0)
    }

    /// The same, as it is written: what is not there has no field.
    var fields: [(name: String, value: String)] {
        [
            ("last", "\(last)"), ("tick", sentTick.map { "\($0)" }), ("at", sentAt.map { "\($0)" }), ("task", taskID),
            ("sent", "\(sent)"), ("dropped", "\(dropped)"),
        ].compactMap { name, value in value.map { (name, $0) } }
    }
}

extension RedisKeys {
    /// The keys of the scripts that change a schedule.
    func forSchedule(_ name: String) -> [String] { [schedule(name), schedules, scheduleChanges] }
}
