// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis

/// Parts of canvases, which note that they run, and return what they were called with as text: `step`, `caught`.
///
/// Their last argument, or the one named `spec`, says what they are called and what they do; where there is none, they are
/// called after the canvas that their input came from.
struct Parts: TaskSet {
    init(_ app: Chard) {
        var untiring = RetryPolicy.whenAsked
        untiring.maxRetries = .max
        app.rawTask(Namespace.name("step"), options: TaskOptions(retry: untiring)) {
            (context: TaskContext, arguments: Arguments) in
            let part = Part(arguments)
            try await context.dependencies.get(Marks.self).push(run: part, context)
            if context.message.retries < part.spec["retry"]?.integer ?? 0 {
                throw Retry(after: .milliseconds(50), because: TaskError("RuntimeError", "not yet"))
            }
            if part.spec["fail"]?.bool == true { throw PythonException.error("ValueError", .string(part.label)) }
            return part.result
        }
        app.rawTask(Namespace.name("caught")) { (context: TaskContext, arguments: Arguments) in
            let part = Part(arguments)
            try await context.dependencies.get(Marks.self).push(run: part, context)
            return part.result
        }
    }
}

/// What a part of a canvas was called with.
struct Part {
    let spec: JSON
    let label: String
    /// The name with the arguments, as text.
    let result: String

    init(_ arguments: Arguments) {
        var (positional, keywords) = (arguments.positional, arguments.keywords)
        var spec = keywords.removeValue(forKey: "spec")
        if spec == nil, positional.last?.object != nil { spec = positional.removeLast() }
        let named = keywords.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.text($0.value))" }
        let given = "(" + (positional.map(Self.text) + named).joined(separator: ", ") + ")"
        self.spec = spec ?? [:]
        label = spec?["label"]?.string ?? (given.prefix { $0 != "." }.drop { "([".contains($0) } + ".each")
        result = label + given
    }

    private static func text(_ value: JSON) -> String {
        if let string = value.string { return string }
        if let elements = value.array { return "[" + elements.map(text).joined(separator: ", ") + "]" }
        return String(decoding: value.encoded(), as: UTF8.self)
    }
}

extension Marks {
    /// Notes that a part runs, and with what, under the name of its canvas.
    func push(run part: Part, _ context: TaskContext) async throws {
        guard let broker = try app.broker as? RedisBroker else {
            throw TaskError("RuntimeError", "runs are kept in Redis, and this worker's broker is another")
        }
        let message = context.message
        let embed = try message.decodeBody().embed
        func trees(_ texts: [ArraySlice<UInt8>]) throws -> JSON { .array(try texts.map { try JSON(parsing: $0) }) }
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        let entry: JSON = [
            "label": .string(part.label), "by": "swift", "id": .string(message.id), "root_id": text(message.rootID),
            "parent_id": text(message.parentID), "group": text(message.group),
            "group_index": message.groupIndex.map(JSON.integer) ?? .null, "retries": .integer(message.retries),
            "stamped_headers": message.stampedHeaders.map { .array($0.map(JSON.string)) } ?? .null,
            "stamps": .object(message.stamps), "headers": .object(message.headers),
            "callbacks": try trees(embed.callbacks), "errbacks": try trees(embed.errbacks),
            "chain": try trees(embed.chain), "chord": try embed.chord.map { try JSON(parsing: $0) } ?? .null,
        ]
        let canvas = part.label.prefix { $0 != "." }
        _ = try await broker.client.send(RedisCommand("RPUSH", "interop:runs:\(canvas)", entry.encoded()))
    }
}
