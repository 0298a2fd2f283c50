// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import TestServers

/// A command that has been run to its end.
struct CommandRun: Sendable, CustomStringConvertible {
    let status: Int32
    /// What it printed on standard output.
    let output: String
    /// What it printed on standard error.
    let talk: String

    init(_ program: Program, within limit: Duration = .seconds(60)) async throws {
        status = try await program.finished(within: limit)
        output = program.output
        talk = program.talk
    }

    /// Standard output as one JSON document.
    var json: JSON {
        get throws { try JSON(parsing: Array(output.utf8)) }
    }

    /// The lines of standard output.
    var lines: [Substring] { output.split(separator: "\n") }

    /// Whether it said one line, with the program's name in front, and nothing on standard output.
    var isOneLine: Bool {
        output.isEmpty && talk.hasSuffix("\n") && talk.dropLast().allSatisfy { $0 != "\n" }
            && (talk.hasPrefix("chard: ") || talk.hasPrefix("interop: "))
    }

    var description: String { "status \(status)\noutput: \(output)\ntalk: \(talk)" }
}
