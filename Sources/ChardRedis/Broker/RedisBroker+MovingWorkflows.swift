// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Joins and records on their way to or from another broker.
extension RedisBroker {
    /// Joins as SCAN finds any of their keys.
    package func storedJoins(from place: String?) async throws -> (groups: [String], next: String?) {
        let (found, next) = try await keyNames(beginningWith: keys.group(""), from: place)
        let groups = found.map { name in
            RedisKeys.joinEndings.first(where: name.hasSuffix).map { String(name.dropLast($0.count)) } ?? name
        }
        return (Array(Set(groups)), next)
    }

    /// A join with all of its ends.
    package func storedJoin(of group: String) async throws -> MovedJoin? {
        let names = keys.join(group)
        let replies = try await server.ask(
            [RedisCommand("MGET", names[0], names[3], names[4], names[5])] + names.map { RedisCommand("PTTL", $0) })
        let left = replies.dropFirst().compactMap(\.integer).filter { $0 != -2 }
        guard let strings = replies[0].array, strings.count == 4, let longest = left.max() else { return nil }
        let timeToLive: Duration? = left.contains(-1) ? nil : .milliseconds(longest)
        let size = strings[1].text.flatMap(Int.init)
        return MovedJoin(
            group: group, size: size.map { $0 + (strings[2].text.flatMap(Int.init) ?? 0) },
            isClosed: strings[0].text == "done", members: strings[3].bytes,
            ends: try await storedEnds(of: group, timeToLive), timeToLive: timeToLive)
    }

    /// The ends with their places, page by page, lest the server stands still for others.
    private func storedEnds(of group: String, _ timeToLive: Duration?) async throws -> [JoinPart] {
        let page = 500
        var ends: [JoinPart] = []
        while true {
            let fields =
                try await server.ask([
                    RedisCommand("ZRANGE", keys.joinEnds(group), ends.count, ends.count + page - 1, "WITHSCORES")
                ])[0].array ?? []
            let before = ends.count
            for index in stride(from: 0, to: fields.count - 1, by: 2) {
                guard let end = fields[index].bytes else { continue }
                let place = fields[index + 1].text.flatMap(Double.init).flatMap { Int(exactly: $0) }
                ends.append(JoinPart(stored: end, of: group, at: place, timeToLive: timeToLive))
            }
            if ends.count - before < page { return ends }
        }
    }

    /// Keeps a join, its ends some hundred at a time; that it is over is said last.
    package func keep(_ join: MovedJoin) async throws {
        let most = ScriptCall.most / 4
        for start in stride(from: 0, to: max(join.ends.count, 1), by: most) {
            let end = min(start + most, join.ends.count)
            var call = ScriptCall(.keepJoin)
            for key in keys.join(join.group) { call.append(key: key) }
            call.append(join.size.map { "\($0)" } ?? "")
            call.append(join.members ?? [])
            call.append(join.timeToLive.map { max(1, $0.milliseconds) } ?? -1)
            call.append(join.isClosed && end == join.ends.count ? 1 : 0)
            for part in join.ends[start..<end] {
                call.append("\(part.member):\(part.place)")
                call.append(part.place)
                call.append(part.end)
            }
            guard try await server.ask([call.command])[0].integer == 1 else { return }
        }
    }

    /// Deletes joins.
    package func forgetJoins(of groups: [String]) async throws {
        _ = try await server.ask(
            groups.map { group in
                var command = RedisCommand("UNLINK")
                command.append(contentsOf: keys.join(group))
                return command
            })
    }

    /// Records as SCAN finds them.
    package func storedRecords(from place: String?) async throws -> (ids: [String], next: String?) {
        let (ids, next) = try await keyNames(beginningWith: keys.record(""), from: place)
        return (ids, next)
    }

    /// A record with all of its values.
    package func storedRecord(_ id: String) async throws -> MovedRecord? {
        guard let values = try await record(id) else { return nil }
        let replies = try await server.ask([
            RedisCommand("PTTL", keys.record(id)), RedisCommand("ZSCORE", keys.records, id),
        ])
        guard let left = replies[0].integer, left != -2 else { return nil }
        return MovedRecord(
            id: id, values: values,
            since: replies[1].text.flatMap(Double.init).map { Date(timeIntervalSince1970: $0) },
            timeToLive: left < 0 ? RecordChange.listedFor : .milliseconds(left))
    }

    /// Keeps a record, its values some hundred at a time.
    package func keep(_ record: MovedRecord) async throws {
        let values = record.values.sorted { $0.key < $1.key }
        let most = ScriptCall.most / 3
        for start in stride(from: 0, to: values.count, by: most) {
            var call = ScriptCall(.keepRecord)
            call.append(key: keys.record(record.id))
            call.append(key: keys.records)
            call.append(record.id)
            call.append(max(1, record.timeToLive.milliseconds))
            call.append(record.since.map { "\($0.timeIntervalSince1970)" } ?? "")
            call.append(Int(RecordChange.listedFor.seconds))
            for (name, value) in values[start..<min(start + most, values.count)] {
                call.append(name)
                call.append(value)
            }
            _ = try await server.ask([call.command])
        }
    }

    /// What of the names of keys comes after a beginning.
    private func keyNames(
        beginningWith prefix: String, from place: String?
    ) async throws -> (names: [String], next: String?) {
        let pattern = prefix.map { "\\*?[]".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "*"
        let found =
            try await server.ask([RedisCommand("SCAN", place ?? "0", "MATCH", pattern, "COUNT", 200)])[0].array ?? []
        guard found.count == 2, let next = found[0].text else { return ([], nil) }
        let names = (found[1].array ?? []).compactMap(\.text).map { String($0.dropFirst(prefix.count)) }
        return (names, next == "0" ? nil : next)
    }
}

extension RedisKeys {
    /// How the names of a join's keys end, but for that of the members.
    static let joinEndings = [".c", ".j", ".d", ".s", ".t"]
}
