// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A process that may hold messages, as the hash of processes knows it.
struct Holder: Sendable, Hashable, Decodable {
    var identity = ""
    var node: String
    var queues: [String]
    /// Where these are not the usual ones, the steps of priority by which its lists are named.
    private var steps: [Int]?
    private var separator: String?

    private enum CodingKeys: String, CodingKey {
        case node, queues, steps, separator = "sep"
    }

    init(node: String, queues: [String], priorities: PrioritySteps = .usual) {
        self.node = node
        self.queues = queues
        guard priorities != .usual else { return }
        steps = priorities.steps
        separator = priorities.separator
    }

    /// What the hash holds of it.
    var text: [UInt8] {
        var members: [String: JSON] = ["node": .string(node), "queues": .array(queues.map(JSON.string))]
        if let steps { members[CodingKeys.steps.rawValue] = .array(steps.map(JSON.integer)) }
        if let separator { members[CodingKeys.separator.rawValue] = .string(separator) }
        return JSON.object(members).encoded()
    }

    /// The names of the keys that it uses: others may go by other steps of priority.
    func keys(like keys: RedisKeys) -> RedisKeys {
        guard let steps, let separator, let priorities = try? PrioritySteps(steps, separator: separator) else {
            return RedisKeys(prefix: keys.prefix)
        }
        return RedisKeys(prefix: keys.prefix, priorities: priorities)
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
