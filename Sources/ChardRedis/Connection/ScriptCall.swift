// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A script's call in the making. The server takes all keys before all arguments; here each is added where it belongs, and
/// the script reads both from left to right.
package struct ScriptCall {
    /// How many keys and arguments one call has at most, with room for a few more: Lua takes only some thousands of values apart, and
    /// servers that look at the keys of a request before they run it have limits of their own.
    static let most = 1_000

    var script: RedisScript
    private var keys = RedisCommand.words()
    private var arguments = RedisCommand.words()

    package init(_ script: RedisScript) {
        self.script = script
    }

    /// Makes room for so many bytes of keys and arguments, so that they need not be moved as they grow.
    package mutating func reserve(keys keyBytes: Int, arguments argumentBytes: Int) {
        keys.reserve(keyBytes)
        arguments.reserve(argumentBytes)
    }

    /// Adds a key.
    package mutating func append(key: some RedisArgument) { keys.append(key) }

    /// Adds an argument.
    package mutating func append(_ argument: some RedisArgument) { arguments.append(argument) }

    /// Adds an argument for each element.
    package mutating func append(contentsOf arguments: some Sequence<some RedisArgument>) {
        self.arguments.append(contentsOf: arguments)
    }

    /// How many keys and arguments there are.
    var count: Int { keys.count + arguments.count }

    /// How long it is on the wire, in bytes, but for a few.
    var size: Int { keys.size + arguments.size }

    /// The command that makes the call.
    package var command: RedisCommand {
        var command = RedisCommand("EVALSHA", script.digest, keys.count)
        command.reserve(keys.size + arguments.size)
        command.append(wordsOf: keys)
        command.append(wordsOf: arguments)
        command.script = script
        return command
    }
}
