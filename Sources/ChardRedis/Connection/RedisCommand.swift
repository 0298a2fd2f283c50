// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One command: its name and arguments, as bytes.
///
/// All words lie in one array, so that a command costs two allocations however many arguments it has. A command may
/// be kept and sent many times.
package struct RedisCommand: Sendable {
    /// The words, one after the other, the name first.
    private(set) var words: [UInt8]
    /// Where each word ends in ``words``.
    private(set) var ends: [Int]
    /// The script that this command runs, if it is an `EVALSHA` that may have to load it first.
    var script: RedisScript?

    /// Makes a command such as `RedisCommand("LPUSH", key, bytes)`.
    package init<each Argument: RedisArgument>(_ name: String, _ arguments: repeat each Argument) {
        words = Array(name.utf8)
        ends = [words.count]
        repeat append(each arguments)
    }

    /// Adds one argument.
    package mutating func append(_ argument: some RedisArgument) {
        argument.write(to: &words)
        ends.append(words.count)
    }

    /// Adds an argument for each element.
    package mutating func append(contentsOf arguments: some Sequence<some RedisArgument>) {
        for argument in arguments { append(argument) }
    }

    /// How long all words together are, in bytes.
    var size: Int { words.count }

    /// The command's name, as it was given.
    package var name: String { word(0) }

    /// The first key, where this command has one in the usual place: scripts name theirs third, after their count.
    ///
    /// Errors and logs show it, so what `AUTH` has in that place is none.
    package var key: String? {
        if name.uppercased() == "AUTH" { return nil }
        let isScript = name.hasPrefix("EVAL") || name.hasPrefix("FCALL")
        let index = isScript ? 3 : 1
        guard index < ends.count, !(isScript && word(2) == "0") else { return nil }
        return word(index)
    }

    private func word(_ index: Int) -> String {
        String(decoding: words[(index == 0 ? 0 : ends[index - 1])..<ends[index]], as: UTF8.self)
    }
}

/// What can stand as an argument of a ``RedisCommand``.
package protocol RedisArgument {
    /// Appends the bytes that stand for this argument.
    func write(to words: inout [UInt8])
}

extension String: RedisArgument {
    package func write(to words: inout [UInt8]) { words.append(contentsOf: utf8) }
}

extension Substring: RedisArgument {
    package func write(to words: inout [UInt8]) { words.append(contentsOf: utf8) }
}

extension [UInt8]: RedisArgument {
    package func write(to words: inout [UInt8]) { words.append(contentsOf: self) }
}

extension ArraySlice<UInt8>: RedisArgument {
    package func write(to words: inout [UInt8]) { words.append(contentsOf: self) }
}

extension Int: RedisArgument {
    package func write(to words: inout [UInt8]) { words.append(contentsOf: String(self).utf8) }
}

extension Double: RedisArgument {
    /// The shortest decimal form that reads back as the same number; infinities are `inf` and `-inf`, as Redis has them.
    package func write(to words: inout [UInt8]) { words.append(contentsOf: description.utf8) }
}
