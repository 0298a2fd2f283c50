// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Synchronization

/// The history of tasks on a server: a ring of segments, of which the newest is written to.
///
/// A segment is two lists, of what went well and of all else, and the number of its attempts. An element is what one process has
/// told at once: a line for each attempt, behind a newline its id as JSON, a tab and its record. So a batch costs one RPUSH however
/// many they are, and an attempt no more memory than its line. Who asks for one task has the server search for its id, a
/// megabyte at a time. A full or old segment is followed by the next, and the oldest go as a whole. Segments are
/// numbered, so that of many who begin the next at once all begin the same.
final class RedisHistory: Sendable {
    /// So many segments hold together what is to be kept.
    private static let segments = 8
    /// How many bytes about one element has at most.
    private static let portion = 64 << 10

    private let client: RedisClient
    private let keys: RedisKeys
    let limits: HistoryLimits
    /// The segment that was the newest when it was last asked for.
    private let newest = Mutex<Int?>(nil)

    init(_ client: RedisClient, _ keys: RedisKeys, _ limits: HistoryLimits) {
        self.client = client
        self.keys = keys
        self.limits = limits
    }

    // MARK: Writing

    func note(_ attempts: [AttemptRecord]) async throws(RedisError) {
        guard limits.isKept, !attempts.isEmpty else { return }
        let segment: Int
        if let known = newest.withLock({ $0 }) {
            segment = known
        } else if let found = try await names().last {
            segment = found
        } else {
            segment = try await begin(1)
        }
        var commands = writing(attempts, to: segment)
        let look = commands.count
        commands += [
            RedisCommand("INCRBY", keys.historyCount(segment), attempts.count),
            RedisCommand("PEXPIRE", keys.historyCount(segment), limits.timeToLive.milliseconds),
            RedisCommand("GET", keys.historyYoung),
        ]
        let replies = try await client.pipeline(commands)
        for reply in replies {
            guard let error = reply.error else { continue }
            newest.withLock { $0 = nil }
            throw error
        }
        // It names the newest for as long as that is young.
        guard let young = replies[look + 2].text.flatMap({ Int($0) }) else {
            _ = try await begin(max(segment, try await names().last ?? segment) + 1)
            return
        }
        newest.withLock { $0 = max(young, segment) }
        guard young <= segment else { return }
        let isFull = (replies[look].integer ?? 0) >= max(1, limits.attempts / Self.segments)
        if isFull { _ = try await begin(segment + 1) }
    }

    private func writing(_ attempts: [AttemptRecord], to segment: Int) -> [RedisCommand] {
        writing(attempts.filter(\.isGood), to: keys.historyGood(segment))
            + writing(attempts.filter { !$0.isGood }, to: keys.historyBad(segment))
    }

    private func writing(_ attempts: [AttemptRecord], to list: String) -> [RedisCommand] {
        guard !attempts.isEmpty else { return [] }
        var commands: [RedisCommand] = []
        var lines: [UInt8] = []
        lines.reserveCapacity(min(attempts.count * 256, Self.portion + 1_024))
        for attempt in attempts {
            lines.append(UInt8(ascii: "\n"))
            JSON.append(attempt.id, to: &lines)
            lines.append(UInt8(ascii: "\t"))
            lines += attempt.json
            guard lines.count >= Self.portion else { continue }
            commands.append(RedisCommand("RPUSH", list, lines))
            lines.removeAll(keepingCapacity: true)
        }
        if !lines.isEmpty { commands.append(RedisCommand("RPUSH", list, lines)) }
        return commands + [RedisCommand("PEXPIRE", list, limits.timeToLive.milliseconds)]
    }

    /// Begins a segment, unless somebody has, and lets go of those beyond the number that is kept.
    private func begin(_ segment: Int) async throws(RedisError) -> Int {
        let replies = try await client.pipeline([
            RedisCommand("ZADD", keys.historySegments, "NX", segment, segment),
            RedisCommand("PEXPIRE", keys.historySegments, limits.timeToLive.milliseconds * 2),
            RedisCommand(
                "SET", keys.historyYoung, segment, "PX", max(1, limits.timeToLive.milliseconds / Self.segments)),
        ])
        for reply in replies { if let error = reply.error { throw error } }
        let names = try await names()
        newest.withLock { $0 = names.last }
        let superfluous = names.dropLast(Self.segments)
        if !superfluous.isEmpty {
            _ = try await client.pipeline(
                superfluous.flatMap { name in
                    [
                        RedisCommand(
                            "UNLINK", keys.historyGood(name), keys.historyBad(name), keys.historyCount(name)),
                        RedisCommand("ZREM", keys.historySegments, name),
                    ]
                })
        }
        return names.last ?? segment
    }

    // MARK: Reading

    /// The segments, the oldest first.
    private func names() async throws(RedisError) -> [Int] {
        (try await client.send(RedisCommand("ZRANGE", keys.historySegments, 0, -1)).array ?? [])
            .compactMap { $0.text.flatMap { Int($0) } }
    }

    func attempts(of id: String) async throws(RedisError) -> [Attempt] {
        var found: [Attempt] = []
        for segment in try await names() {
            for list in [keys.historyBad(segment), keys.historyGood(segment)] { found += try await find(id, in: list) }
        }
        return found.sorted { $0.endedAt < $1.endedAt }
    }

    /// The attempts at one task in a list. Where scripts are not to be had, all of the list is read.
    private func find(_ id: String, in list: String) async throws(RedisError) -> [Attempt] {
        let needle = [UInt8(ascii: "\n")] + JSON.string(id).encoded() + [UInt8(ascii: "\t")]
        var found: [Attempt] = []
        var next = 0
        while next >= 0 {
            do throws(RedisError) {
                let reply = try await client.send(RedisScript.findAttempts.command(keys: [list], needle, next))
                next = reply.array?.first?.integer ?? -1
                found += (reply.array?.last?.array ?? []).compactMap { $0.bytes.flatMap { Self.attempt($0) } }
            } catch {
                guard error.isForWantOfCommand else { throw error }
                found = []
                try await scan(list) { if $0.id == id { found.append($0) } }
                return found
            }
        }
        return found
    }

    func attempts(
        since: Date, onlyBad: Bool, limit: Int, matching isWanted: (Attempt) -> Bool
    ) async throws(RedisError) -> [Attempt] {
        var found: [Attempt] = []
        for segment in try await names().reversed() {
            let lists =
                onlyBad ? [keys.historyBad(segment)] : [keys.historyBad(segment), keys.historyGood(segment)]
            for list in lists {
                try await scan(list) { if $0.endedAt >= since, isWanted($0) { found.append($0) } }
            }
            // What is in older segments has ended earlier, but for what was under way when the next was begun.
            if found.count >= limit { break }
        }
        return Array(found.sorted { $0.endedAt > $1.endedAt }.prefix(limit))
    }

    /// A place in a history: in each of its last segments, how many elements of its two lists were read. In two of them, since
    /// somebody may still write to the last but one who has not heard of the last.
    private struct Place {
        var read: [(segment: Int, good: Int, bad: Int)] = []

        init(_ cursor: HistoryCursor?) {
            for part in (cursor?.text ?? "").split(separator: ",") {
                let numbers = part.split(separator: ":").compactMap { Int($0) }
                if numbers.count == 3 { read.append((numbers[0], numbers[1], numbers[2])) }
            }
        }

        var cursor: HistoryCursor {
            HistoryCursor(read.map { "\($0.segment):\($0.good):\($0.bad)" }.joined(separator: ","))
        }
    }

    func attempts(after cursor: HistoryCursor?, limit: Int) async throws(RedisError) -> HistoryPage {
        var place = Place(cursor)
        let names = try await names()
        var found: [Attempt] = []
        // A history whose numbers are smaller has begun anew: the server was emptied.
        if let last = place.read.last?.segment, last > names.last ?? 0 { place.read = [] }
        let first = place.read.first?.segment ?? .min
        for segment in names where segment >= first {
            var read = place.read.first { $0.segment == segment } ?? (segment, 0, 0)
            read.good = try await self.read(keys.historyGood(segment), from: read.good, limit, &found)
            read.bad = try await self.read(keys.historyBad(segment), from: read.bad, limit, &found)
            place.read.removeAll { $0.segment == segment }
            place.read.append(read)
            if found.count >= limit { break }
        }
        place.read = Array(place.read.sorted { $0.segment < $1.segment }.suffix(2))
        return HistoryPage(found, then: place.cursor)
    }

    /// Reads elements of a list until there are enough attempts. Returns how many elements have been read of it then. One that is
    /// shorter than what was read of it has begun anew.
    private func read(
        _ list: String, from first: Int, _ limit: Int, _ found: inout [Attempt]
    ) async throws(RedisError) -> Int {
        let page = 20
        var next = first
        while found.count < limit {
            let replies = try await client.pipeline([
                RedisCommand("LLEN", list), RedisCommand("LRANGE", list, next, next + page - 1),
            ])
            for reply in replies { if let error = reply.error { throw error } }
            let elements = replies[1].array ?? []
            if let length = replies[0].integer, length < next {
                next = 0
                continue
            }
            for element in elements {
                for line in (element.bytes ?? []).split(separator: UInt8(ascii: "\n")) {
                    if let attempt = Self.attempt(line) { found.append(attempt) }
                }
            }
            next += elements.count
            if elements.count < page { break }
        }
        return next
    }

    private func scan(_ list: String, _ take: (Attempt) -> Void) async throws(RedisError) {
        let page = 20
        var first = 0
        while true {
            let reply = try await client.send(RedisCommand("LRANGE", list, first, first + page - 1)).array ?? []
            for element in reply {
                for line in (element.bytes ?? []).split(separator: UInt8(ascii: "\n")) {
                    if let attempt = Self.attempt(line) { take(attempt) }
                }
            }
            if reply.count < page { return }
            first += page
        }
    }

    private static func attempt(_ line: some Collection<UInt8>) -> Attempt? {
        guard let tab = line.firstIndex(of: UInt8(ascii: "\t")),
            let id = (try? JSON(parsing: Array(line[..<tab])))?.string
        else { return nil }
        return Attempt(id: id, stored: line[line.index(after: tab)...])
    }
}

extension RedisScript {
    /// Searches a list of a history for the lines of one task.
    ///
    /// - KEYS: the list.
    /// - ARGV: how such a line begins, with the newline before it; with which element to begin.
    /// - Returns: with which element to go on, or -1 at the end; the lines.
    ///
    /// A script, since all else would send the whole history to whoever asks for one task. About a megabyte at a time.
    static let findAttempts = RedisScript(
        """
        local needle, at, bytes, found = ARGV[1], tonumber(ARGV[2]), 0, {}
        while bytes < 1048576 do
            local elements = redis.call('LRANGE', KEYS[1], at, at + 9)
            if #elements == 0 then return {-1, found} end
            for _, element in ipairs(elements) do
                bytes = bytes + #element + 16
                local from = string.find(element, needle, 1, true)
                while from do
                    local stop = string.find(element, '\\n', from + 1, true) or #element + 1
                    found[#found + 1] = string.sub(element, from + 1, stop - 1)
                    from = string.find(element, needle, stop, true)
                end
            end
            at = at + #elements
        end
        return {at, found}
        """)
}
