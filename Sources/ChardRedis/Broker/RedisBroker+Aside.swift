// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: AsideStore {
    /// What was put aside. Of what has been deleted since, only the note is there.
    public func asideItems() async throws -> [AsideItem] {
        let fields = try await server.ask([RedisCommand("HGETALL", keys.aside)])[0].array ?? []
        let notes = stride(from: 0, to: fields.count - 1, by: 2).compactMap { index -> (String, AsideNote)? in
            guard let name = fields[index].text, let json = fields[index + 1].bytes,
                let note = try? JSON.decode(AsideNote.self, from: json, limits: JSONLimits(bytes: .max))
            else { return nil }
            return (name, note)
        }.sorted { ($0.1.at, $0.0) < ($1.1.at, $1.0) }
        // Who may not ask for the type is told the rest.
        let types = try await pipeline(notes.map { RedisCommand("TYPE", keys.aside($0.0)) })
            .map { $0.error == nil ? $0.text : nil }
        let questions = zip(notes, types).map { note, type in
            RedisCommand(Self.count[type ?? ""] ?? "EXISTS", keys.aside(note.0))
        }
        let sizes = try await pipeline(questions)
        return notes.enumerated().map { index, item in
            let (name, note) = item
            let type = types[index].flatMap { $0 == "none" ? nil : $0 }
            return AsideItem(
                name: name, place: note.place, key: keys.aside(name), kind: type, expected: note.expected,
                size: type.flatMap { Self.count[$0] } == nil ? nil : sizes[index].integer, reason: note.reason,
                worker: note.worker, at: Date(timeIntervalSince1970: note.at))
        }
    }

    /// What counts the elements of each type.
    private static let count = [
        "string": "STRLEN", "list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN",
    ]

    private func pipeline(_ commands: [RedisCommand]) async throws -> [RESPValue] {
        try await translatingErrors { () throws(RedisError) in try await client.pipeline(commands) }
    }

    /// Puts something back.
    public func restoreAside(_ name: String) async throws -> Bool {
        guard let item = try await asideItems().first(where: { $0.name == name }) else { return false }
        let answer = try await translatingErrors { () throws(RedisError) in
            try await client.run(
                RedisScript.restoreAside, keys: [keys.aside, keys.aside(name), item.place], name)
        }
        guard answer.integer != -1 else {
            throw BrokerError(.damaged, "something else is now at \(item.place): nothing was changed")
        }
        return answer.integer == 1
    }

    /// Does what writes an order and, where something is in its way, does it again once that was put aside.
    func mending<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as BrokerError {
            guard let cause = error.underlying as? RedisError, cause.code == .wrongType else { throw error }
            try await translatingErrors { () throws(RedisError) in
                try await server.putAsideAtOnce(of: [], worker: "operator", because: cause)
            }
            return try await body()
        }
    }

    /// Deletes something, with its note.
    public func dropAside(_ name: String) async throws -> Bool {
        let replies = try await server.ask([
            RedisCommand("DEL", keys.aside(name)), RedisCommand("HDEL", keys.aside, name),
        ])
        return replies.contains { $0.integer == 1 }
    }
}
