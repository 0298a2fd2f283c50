// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore

/// One command: its name and arguments, as bytes.
///
/// They are kept the way they travel, so that a command costs one allocation however many arguments it has, and sending it
/// no more than a copy. hiredis could write it, too, but takes a `sprintf` for each argument, some 800 instructions. A command
/// may be kept and sent many times.
package struct RedisCommand: Sendable {
    /// The words in RESP, one after the other, the name first: `$`, the length, a line end, the bytes, a line end.
    private(set) var words: [UInt8]
    /// How many words there are.
    private(set) var count = 0
    /// The script that this command runs, if it is an `EVALSHA` that may have to load it first.
    var script: RedisScript?

    /// Makes a command such as `RedisCommand("LPUSH", key, bytes)`.
    package init<each Argument: RedisArgument>(_ name: String, _ arguments: repeat each Argument) {
        words = []
        words.reserveCapacity(128)
        append(name)
        repeat append(each arguments)
    }

    /// Words without a command's name, to become a part of one.
    static func words() -> RedisCommand { RedisCommand() }

    private init() { words = [] }

    /// Makes room for so many bytes more.
    mutating func reserve(_ bytes: Int) { words.reserveCapacity(words.count + bytes) }

    /// Adds one argument.
    package mutating func append(_ argument: some RedisArgument) {
        argument.append(to: &self)
    }

    /// Adds an argument for each element.
    package mutating func append(contentsOf arguments: some Sequence<some RedisArgument>) {
        for argument in arguments { append(argument) }
    }

    /// Adds all words of another one.
    mutating func append(wordsOf other: RedisCommand) {
        words.append(contentsOf: other.words)
        count += other.count
    }

    /// Adds an argument that is these bytes.
    fileprivate mutating func append(bytes: some Collection<UInt8>) {
        words.append(head: "$", bytes.count)
        words.append(contentsOf: bytes)
        words.appendLineEnd()
        count += 1
    }

    /// Adds an argument that is this number in digits.
    fileprivate mutating func append(number: Int) {
        words.append(head: "$", number.decimalCount)
        words.append(decimal: number)
        words.appendLineEnd()
        count += 1
    }

    /// How long the command is on the wire, in bytes, but for a few.
    var size: Int { words.count }

    /// The command's name, as it was given.
    package var name: String { word(0) ?? "" }

    /// The first key, where this command has one in the usual place: scripts name theirs third, after their count.
    ///
    /// Errors and logs show it, so what `AUTH` has in that place is none.
    package var key: String? {
        if name.uppercased() == "AUTH" { return nil }
        let isScript = name.hasPrefix("EVAL") || name.hasPrefix("FCALL")
        return isScript && word(2) == "0" ? nil : word(isScript ? 3 : 1)
    }

    /// One of its words, the name being the first.
    func word(_ index: Int) -> String? {
        guard index < count else { return nil }
        var rest = words[...]
        for _ in 0..<index { _ = Self.takeWord(from: &rest) }
        return String(decoding: Self.takeWord(from: &rest), as: UTF8.self)
    }

    /// The same command but for its first two words, and without a script to be loaded.
    func replacingFirstWords(_ first: String, _ second: String) -> RedisCommand {
        var rest = words[...]
        for _ in 0..<2 { _ = Self.takeWord(from: &rest) }
        var command = RedisCommand(first, second)
        command.words.append(contentsOf: rest)
        command.count = count
        return command
    }

    private static func takeWord(from rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let head = rest.prefix { $0 != UInt8(ascii: "\r") }
        let size = Int(String(decoding: head.dropFirst(), as: UTF8.self)) ?? 0
        let word = rest.dropFirst(head.count + 2).prefix(size)
        rest = rest[word.endIndex...].dropFirst(2)
        return word
    }
}

extension ByteBuffer {
    /// The bytes of these commands, one after the other, ready to be written in one piece.
    init(_ commands: [RedisCommand]) {
        var head: [UInt8] = []
        self.init()
        reserveCapacity(commands.reduce(0) { $0 + $1.size + 16 })
        for command in commands {
            head.removeAll(keepingCapacity: true)
            head.append(head: "*", command.count)
            writeBytes(head)
            writeBytes(command.words)
        }
    }
}

extension [UInt8] {
    /// Begins a value of RESP: what it is, and how many bytes or elements it has.
    fileprivate mutating func append(head: Unicode.Scalar, _ count: Int) {
        append(UInt8(ascii: head))
        append(decimal: count)
        appendLineEnd()
    }

    fileprivate mutating func appendLineEnd() {
        append(UInt8(ascii: "\r"))
        append(UInt8(ascii: "\n"))
    }
}

/// What can stand as an argument of a ``RedisCommand``.
package protocol RedisArgument {
    /// Adds the bytes that stand for this argument, as one word.
    func append(to command: inout RedisCommand)
}

extension String: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(bytes: utf8) }
}

extension Substring: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(bytes: utf8) }
}

extension [UInt8]: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(bytes: self) }
}

extension ArraySlice<UInt8>: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(bytes: self) }
}

extension Int: RedisArgument {
    package func append(to command: inout RedisCommand) { command.append(number: self) }

    /// How many characters the number has in decimal.
    fileprivate var decimalCount: Int {
        var count = self < 0 ? 2 : 1
        var rest = magnitude
        while rest > 9 {
            rest /= 10
            count += 1
        }
        return count
    }
}

extension Double: RedisArgument {
    /// The shortest decimal form that reads back as the same number; infinities are `inf` and `-inf`, as Redis has them.
    package func append(to command: inout RedisCommand) { command.append(bytes: description.utf8) }
}
