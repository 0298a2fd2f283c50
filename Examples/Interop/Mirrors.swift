// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Tasks that say what they were given: `echo` its arguments, `info` its message.
struct Mirrors: TaskSet {
    init(_ app: Chard) {
        app.rawTask(Namespace.name("echo")) { _, arguments in arguments }
        app.task(Namespace.name("info")) { (context: TaskContext) in Request.fields(context) }
    }
}

/// What `self.request` shows in a Python task.
enum Request {
    static func fields(_ context: TaskContext) -> JSON {
        let message = context.message
        return [
            "id": .string(message.id),
            "root_id": text(message.rootID),
            "parent_id": text(message.parentID),
            "group": text(message.group),
            "group_index": message.groupIndex.map(JSON.integer) ?? .null,
            "eta": text(message.eta.map(Timestamp.text(for:))),
            "expires": text(message.expires.map(Timestamp.text(for:))),
            "retries": .integer(message.retries),
            "timelimit": [seconds(message.timeLimits.hard), seconds(message.timeLimits.soft)],
            "reply_to": text(message.properties.replyTo),
            "correlation_id": text(message.properties.correlationID),
            "origin": text(message.origin),
            "lang": text(message.language),
            "shadow": text(message.shadow),
            "argsrepr": text(message.argumentsText),
            "kwargsrepr": text(message.keywordsText),
            "delivery_info": [
                "exchange": .string(message.properties.exchange),
                "routing_key": .string(message.properties.routingKey),
                "priority": .integer(message.properties.priority),
                "redelivered": .bool(message.isRedelivered),
            ],
            "hostname": .string(context.node),
            "headers": message.headers.isEmpty ? .null : .object(message.headers),
        ]
    }

    private static func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

    /// Whole seconds as an integer, which is what callers mostly write.
    private static func seconds(_ value: Double?) -> JSON {
        guard let value else { return .null }
        return Int(exactly: value).map(JSON.integer) ?? .number(value)
    }
}
