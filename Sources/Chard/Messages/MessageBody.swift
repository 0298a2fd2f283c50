// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a task is called with and what follows it: `[args, kwargs, embed]`.
///
/// The values are pieces of JSON text, to be decoded once the task's types are known.
public struct MessageBody: Sendable, Hashable {
    /// One keyword argument.
    public struct Keyword: Sendable, Hashable {
        /// The parameter's name.
        public var name: String
        /// The value's JSON text.
        public var value: ArraySlice<UInt8>

        /// A keyword argument of a value that is JSON text already.
        public init(name: String, value: ArraySlice<UInt8>) {
            self.name = name
            self.value = value
        }
    }

    /// The JSON texts of the positional arguments.
    public var positional: [ArraySlice<UInt8>]
    /// The keyword arguments; no name occurs twice in what was decoded.
    public var keywords: [Keyword]
    /// What follows the task.
    public var embed: Embed

    /// A body of values that are JSON text already, from ``JSON/encode(_:)`` for instance.
    public init(
        positional: [[UInt8]] = [], keywords: [(name: String, value: [UInt8])] = [], embed: Embed = Embed()
    ) {
        self.positional = positional.map { $0[...] }
        self.keywords = keywords.map { Keyword(name: $0.name, value: $0.value[...]) }
        self.embed = embed
    }

    /// A body of any JSON values.
    public init(_ arguments: Arguments, embed: Embed = Embed()) {
        self.init(
            positional: arguments.positional.map { $0.encoded() },
            keywords: arguments.keywords.sorted { $0.key < $1.key }.map { ($0.key, $0.value.encoded()) },
            embed: embed)
    }

    /// The text of the body: `[[2,3],{"y":3},{}]`.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter(capacity: 128)
        writer.raw("[[")
        for value in positional {
            writer.separate()
            writer.raw(value)
        }
        writer.raw("],{")
        for (index, keyword) in keywords.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(keyword.name)
            writer.raw(":")
            writer.raw(keyword.value)
        }
        writer.raw("},")
        embed.write(to: &writer)
        writer.raw("]")
        return writer.bytes
    }

    /// All arguments as trees.
    public func arguments(limits: JSONLimits = .default) throws(JSONError) -> Arguments {
        var arguments = Arguments()
        for value in positional { arguments.positional.append(try JSON(parsing: value, limits: limits)) }
        for keyword in keywords { arguments.keywords[keyword.name] = try JSON(parsing: keyword.value, limits: limits) }
        return arguments
    }
}

/// The arguments of a task whose types are not known.
public struct Arguments: Sendable, Hashable {
    /// The arguments by position.
    public var positional: [JSON]
    /// The arguments by name.
    public var keywords: [String: JSON]

    /// Arguments by position and by name.
    public init(_ positional: [JSON] = [], keywords: [String: JSON] = [:]) {
        self.positional = positional
        self.keywords = keywords
    }

    /// The positional arguments for people to read, the way Python shows them: `(2, 'x')`; at most 1024 bytes.
    public var positionalText: String { PythonText.tuple(positional.map { $0.encoded()[...] }) }

    /// The keyword arguments for people to read, the way Python shows them: `{'y': 3}`; at most 1024 bytes.
    public var keywordsText: String { PythonText.dictionary(MessageBody(self).keywords) }
}

/// What follows a task, as signatures: Celery's JSON for "this task, called so". Pieces of JSON text, as they came.
public struct Embed: Sendable, Hashable {
    /// Sent with the result as first argument when the task succeeded.
    public var callbacks: [ArraySlice<UInt8>]
    /// Sent with the task's id as argument when the task failed.
    public var errbacks: [ArraySlice<UInt8>]
    /// The rest of the chain in reverse: the last one is next.
    public var chain: [ArraySlice<UInt8>]
    /// The body of the chord that the task is in the header of.
    public var chord: ArraySlice<UInt8>?

    /// What follows a task; nothing, if nothing is given.
    public init(callbacks: [JSON] = [], errbacks: [JSON] = [], chain: [JSON] = [], chord: JSON? = nil) {
        self.callbacks = callbacks.map { $0.encoded()[...] }
        self.errbacks = errbacks.map { $0.encoded()[...] }
        self.chain = chain.map { $0.encoded()[...] }
        self.chord = chord.map { $0.encoded()[...] }
    }

    /// The chord, where nothing else follows.
    var onlyChord: ArraySlice<UInt8>? { hasSuccessors || !errbacks.isEmpty ? nil : chord }

    /// Whether something is sent once the task has succeeded, whatever becomes of a chord.
    var hasSuccessors: Bool { !callbacks.isEmpty || !chain.isEmpty }

    /// Whether nothing follows.
    public var isEmpty: Bool { callbacks.isEmpty && errbacks.isEmpty && chain.isEmpty && chord == nil }

    fileprivate func write(to writer: inout JSONWriter) {
        if isEmpty { return writer.raw("{}") }
        func write(_ key: StaticString, _ signatures: [ArraySlice<UInt8>]) {
            writer.key(key)
            if signatures.isEmpty { return writer.raw("null") }
            writer.raw("[")
            for (index, signature) in signatures.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.raw(signature)
            }
            writer.raw("]")
        }
        writer.raw("{")
        write(#""callbacks":"#, callbacks)
        write(#""errbacks":"#, errbacks)
        write(#""chain":"#, chain)
        writer.key(#""chord":"#)
        writer.raw(chord ?? Array("null".utf8)[...])
        writer.raw("}")
    }
}
