// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What the server must let a worker do, and the commands that try it without changing anything.
///
/// A server looks at a user's rights before it looks at anything else. So each command is sent in a form that comes to nothing: to a
/// key that holds another type, with a number that is none, for something that is not there. One call of a script that does
/// nothing names all keys.
package struct WorkerRights: Sendable {
    /// Tries the right to use keys: all that it is given.
    static let touch = RedisScript("return 0")

    /// The commands that workers use, by the names that the server's access lists have for them, each with arguments with which it
    /// changes nothing. `T` stands for a key that holds a text, `N` for one that is not there.
    private static let trials: [(name: String, arguments: [String])] = [
        ("blmove", ["T", "T", "RIGHT", "LEFT", "-1"]), ("client|unblock", ["none"]), ("del", ["N"]), ("exists", ["N"]),
        ("expire", ["N", "none"]), ("get", ["N"]), ("hdel", ["N", ""]), ("hexists", ["N", ""]), ("hget", ["N", ""]),
        ("hgetall", ["N"]), ("hset", ["N", "a", "b", "c"]), ("lindex", ["N", "0"]), ("llen", ["N"]),
        ("lmove", ["N", "N", "none", "none"]), ("lpop", ["N"]), ("lpos", ["N", ""]), ("lpush", ["T", ""]),
        ("lrem", ["N", "0", ""]), ("lset", ["N", "0", ""]), ("ltrim", ["N", "0", "-1"]), ("mget", ["N"]),
        ("persist", ["N"]), ("pexpire", ["N", "none"]), ("pttl", ["N"]), ("rename", ["N", "N"]), ("rpop", ["N"]),
        ("rpush", ["T", ""]), ("sadd", ["T", ""]), ("sismember", ["N", ""]), ("smembers", ["N"]), ("srem", ["N", ""]),
        ("time", []), ("type", ["N"]), ("unlink", ["N"]), ("xrange", ["N", "-", "+"]), ("zadd", ["N", "none", ""]),
        ("zcard", ["N"]), ("zmscore", ["N", ""]), ("zrange", ["N", "0", "0"]), ("zrangebyscore", ["N", "0", "0"]),
        ("zrem", ["N", ""]), ("zremrangebyscore", ["N", "none", "none"]), ("zscan", ["N", "0"]), ("zscore", ["N", ""]),
    ]

    /// Those that have no form which comes to nothing, and are tried by being used.
    private static let used = ["set", "evalsha", "publish"]
    private static let others = ["script|load", "subscribe", "unsubscribe"]

    /// All commands that a worker must be allowed to use.
    package static let commandNames = (used + trials.map(\.name) + others).sorted()

    /// Commands that a server may lack: a worker is slower to stop then, or leaves a key alone that holds something else.
    private static let dispensable: Set<String> = ["client|unblock", "rename", "type"]

    private let keys: RedisKeys
    private let queues: [String]
    private let identity: String
    private let names: [String]

    /// - Parameter identity: Of a holder, whose own keys are tried, or of nobody.
    init(_ queues: [String], identity: String, _ keys: RedisKeys) {
        self.keys = keys
        self.queues = queues
        self.identity = identity
        names = Self.names(queues, identity, keys)
    }

    /// The keys that a worker of these queues uses.
    private static func names(_ queues: [String], _ identity: String, _ keys: RedisKeys) -> [String] {
        // So many that one call of a script can name them.
        let most = (ScriptCall.most - 20) / (3 * keys.steps.count + 7)
        let own = queues.prefix(most).flatMap { queue in
            let lists = keys.waiting(allOf: queue)
            return lists + keys.ripe(allOf: queue) + lists.map { keys.leased(identity, $0) } + [
                keys.binding(queue), keys.permanentBinding(queue), keys.delayed(queue), keys.delayedMessages(queue),
                keys.dead(queue), keys.deadLetters(queue), keys.deadMessages(queue),
            ]
        }
        return own + [
            keys.status(identity), keys.group(identity), keys.heartbeat(identity), keys.holders, keys.duty,
            keys.ending(identity), keys.lastChances(identity), keys.recovering(identity), keys.orders, keys.orderLog,
            keys.news, keys.paused, keys.revoked, keys.queues, keys.seal, keys.aside,
        ]
    }

    /// What tries all of it, but for listening to channels. The first writes a text, the last takes it away. Nobody listens to the channel that
    /// is told something.
    var commands: [RedisCommand] {
        [
            RedisCommand("SET", keys.status(identity), "", "PX", 1_000), Self.touch.command(keys: names),
            RedisCommand("PUBLISH", keys.status(identity), ""),
        ]
            + Self.trials.map { name, arguments in
                let words = name.uppercased().split(separator: "|").map(String.init)
                var command = RedisCommand(words[0])
                command.append(contentsOf: words.dropFirst())
                command.append(
                    contentsOf: arguments.map { argument in
                        switch argument {
                        case "T": keys.status(identity)
                        case "N": keys.ending(identity)
                        default: argument
                        }
                    })
                return command
            } + [RedisCommand("DEL", keys.status(identity))]
    }

    /// What tries keys one by one, once all of them together were refused.
    var commandsForKeys: [RedisCommand] { names.map { Self.touch.command(keys: [$0]) } }

    /// What takes away whatever may be left where something was missing.
    var cleaning: [RedisCommand] {
        [
            RedisCommand("DEL", keys.status(identity)), RedisCommand("DEL", keys.heartbeat(identity)),
            RedisCommand("HDEL", keys.holders, identity),
        ]
    }

    /// What is missing, by the replies to ``commands``.
    func missing(in replies: [RESPValue]) -> Missing {
        var missing = Missing()
        for (name, reply) in zip(Self.used + Self.trials.map(\.name), replies) {
            guard let error = reply.error else { continue }
            if error.code == .noPermission {
                missing.note(error, command: name, channel: name == "publish" ? "celery-task-meta-*" : nil, keys)
            } else if error.isUnknownCommand, !Self.dispensable.contains(name) {
                missing.unknown.append(name)
            }
        }
        return missing
    }

    /// The rules for keys that are missing, by the replies to ``commandsForKeys``.
    func missingKeys(in replies: [RESPValue]) -> Set<String> {
        Set(zip(names, replies).compactMap { $1.error?.code == .noPermission ? rule(for: $0) : nil })
    }

    /// The rule by which workers are usually given the right to a key.
    private func rule(for key: String) -> String {
        if key == keys.status(identity) { return "~\(keys.prefix)celery-task-meta-*" }
        if key == keys.group(identity) { return "~\(keys.prefix)celery-taskset-meta-*" }
        let name = key.dropFirst(keys.prefix.count)
        if name.hasPrefix("chard:") { return "~\(keys.prefix)chard:*" }
        if name.hasPrefix("_kombu.binding") { return "~\(keys.prefix)_kombu.binding*" }
        // The two characters that usually stand between a queue and a priority are not for the eyes.
        return "~" + key.replacing(PrioritySteps.usualSeparator, with: "??")
    }

    /// What a user may not do, or a server cannot.
    struct Missing: Sendable {
        /// The rules to add, as `ACL SETUSER` takes them.
        var rules: Set<String> = []
        /// Whether it is to be found out which keys are refused.
        var hasKeys = false
        /// Commands that the server does not know.
        var unknown: [String] = []

        mutating func note(_ error: RedisError, command: String, channel: String? = nil, _ keys: RedisKeys) {
            let text = error.message.lowercased()
            if let channel, text.contains("channel") {
                // Who has no right to one is likely to have none to the others, which are tried later.
                rules.formUnion(["&\(keys.prefix)\(channel)", "&\(keys.prefix)chard:*"])
            } else if text.contains("command") {
                rules.insert("+\(command)")
            } else {
                hasKeys = true
            }
        }

        /// What to tell, if anything is missing.
        func error(_ peer: String) -> BrokerError? {
            if !unknown.isEmpty {
                let names = unknown.map { $0.uppercased().replacing("|", with: " ") }.joined(separator: ", ")
                return BrokerError(.misconfigured, "\(peer) does not know \(names), which a worker needs")
            }
            guard !rules.isEmpty else { return nil }
            return BrokerError(
                .unauthorized,
                "the user of \(peer) may not do what a worker does [NOPERM]; let an administrator run: ACL SETUSER USER "
                    + rules.sorted().joined(separator: " "))
        }
    }
}
