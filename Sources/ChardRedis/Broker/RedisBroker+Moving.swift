// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: MovableBroker {
    /// The steps, which the lists' names tell.
    package func priorities(of deliveries: [Delivery]) -> [Int] {
        deliveries.map { delivery in
            keys.steps[keys.waiting(allOf: delivery.queue).firstIndex(of: delivery.place) ?? 0]
        }
    }

    /// Keeps dead letters.
    package func keep(_ letters: [DeadLetter]) async throws {
        let commands = letters.map { letter in
            var call = ScriptCall(.write)
            call.append(letter.payload)
            call.append(1)
            BuryEffect.append(letter, to: &call, keys, settings, died: letter.diedAt.timeIntervalSince1970)
            return call.command
        }
        _ = try await server.ask(commands + server.bindings(of: letters.map(\.queue)))
    }

    /// Statuses as SCAN finds them.
    package func storedStatuses(from place: String?) async throws -> (statuses: [StatusRecord], next: String?) {
        let prefix = keys.status("")
        let pattern = prefix.map { "\\*?[]".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "*"
        let found =
            try await server.ask([RedisCommand("SCAN", place ?? "0", "MATCH", pattern, "COUNT", 200)])[0].array ?? []
        guard found.count == 2, let next = found[0].text else { return ([], nil) }
        let names = (found[1].array ?? []).compactMap(\.text)
        var statuses: [StatusRecord] = []
        if !names.isEmpty {
            // MGET, unlike GET, has no error for what is no status at all.
            var values = RedisCommand("MGET")
            values.append(contentsOf: names)
            let replies = try await server.ask([values] + names.map { RedisCommand("PTTL", $0) })
            for (index, (name, value)) in zip(names, replies[0].array ?? []).enumerated() {
                guard let json = value.bytes, let left = replies[index + 1].integer, left != -2 else { continue }
                statuses.append(
                    StatusRecord(
                        of: String(name.dropFirst(prefix.count)), stored: json,
                        timeToLive: left < 0 ? nil : .milliseconds(left)))
            }
        }
        return (statuses, next == "0" ? nil : next)
    }

    /// Stores statuses of tasks that have none.
    package func storeMissing(_ statuses: [StatusRecord]) async throws {
        let most = ScriptCall.most / StoreEffect.words
        let commands = stride(from: 0, to: statuses.count, by: most).map { start in
            var call = ScriptCall(.storeMissing)
            for status in statuses[start..<min(start + most, statuses.count)] {
                StoreEffect.append(fieldsOf: status, to: &call, keys)
            }
            return call.command
        }
        _ = try await server.ask(commands)
    }

    /// Deletes statuses that have not changed.
    package func forget(_ statuses: [StatusRecord]) async throws {
        _ = try await server.ask(statuses.map { RedisScript.forgetSame.command(keys: [keys.status($0.id)], $0.json) })
    }

    /// The revocations that are not yet forgotten.
    package func revocations() async throws -> [(id: String, until: Date)] {
        let entries =
            try await server.ask([
                RedisCommand(
                    "ZRANGE", keys.revoked, Date().timeIntervalSince1970, "+inf", "BYSCORE", "WITHSCORES")
            ])[0].array ?? []
        return stride(from: 0, to: entries.count - 1, by: 2).compactMap { index in
            guard let id = entries[index].text, let until = entries[index + 1].text.flatMap(Double.init) else {
                return nil
            }
            return (id, Date(timeIntervalSince1970: until))
        }
    }

    /// Puts a schedule in its place, with its progress.
    package func keepWhole(_ record: ScheduleRecord, replacing version: Int) async throws -> Bool {
        var script = RedisScript.keepWholeSchedule.command(
            keys: keys.forSchedule(record.name), record.name, version, try record.configuration())
        for (field, value) in record.progress.fields {
            script.append(field)
            script.append(value)
        }
        return try await server.ask([script])[0].integer == 1
    }
}
