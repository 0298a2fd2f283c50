// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FaultKit
import Foundation

/// The rows that were asked for, and how to tell what came of them.
struct FaultSuite {
    private var rows = FaultRow.all
    private var rounds: Int?
    private var atOnce = 4
    private var isShort = false
    private var isJSON = false

    static let usage = """
        usage: faults [--row NAME]... [--rounds N] [--at-once N] [--short] [--json] [--list]

        Starts Redis servers, workers and producers, breaks things, and counts what became of every task.
          --row NAME    only this row; may be given more than once
          --rounds N    so many rounds of each row
          --at-once N   so many rounds at once; by default, 4
          --short       the short form's rounds, and none that take minutes
          --json        one JSON object a row, on a line
          --list        names the rows, and ends

        """

    init(_ arguments: [String]) {
        var names: [String] = []
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--row": names.append(rest.popFirst() ?? "")
            case "--rounds": rounds = Self.number(rest.popFirst())
            case "--at-once": atOnce = Self.number(rest.popFirst())
            case "--short": isShort = true
            case "--json": isJSON = true
            case "--list":
                for row in rows { Self.tell(Self.padded(row.name, 18) + row.about + "\n") }
                exit(0)
            case "--help", "-h":
                Self.tell(Self.usage)
                exit(0)
            default: Self.refuse("unknown: \(word)")
            }
        }
        for name in names where !rows.contains(where: { $0.name == name }) { Self.refuse("there is no row \(name)") }
        if !names.isEmpty { rows = rows.filter { names.contains($0.name) } }
    }

    /// Plays, and exits with 1 if anything was not as it should be.
    func run() async {
        if !isJSON {
            Self.tell(
                "row                rounds    sent  lost  overlapping  again     p50     p99     max  (recovery, s)\n")
        }
        var isFine = true
        for row in rows {
            let count = rounds ?? (isShort ? row.shortRounds : row.longRounds)
            let outcome = await row.run(rounds: count, isLong: !isShort, atOnce: atOnce) { outcome in
                Self.complain("\r\u{1B}[K", onlyTerminal: true)
                // A round that takes minutes tells what it has come to.
                if let note = outcome.notes.last { Self.complain("\(row.name): \(note)\n") }
                Self.complain("\(row.name): \(outcome.rounds) of \(count)", onlyTerminal: true)
            }
            Self.complain("\r\u{1B}[K", onlyTerminal: true)
            let violations = row.violations(of: outcome)
            Self.tell(isJSON ? json(row, outcome, violations) : line(row, outcome, violations))
            if !isJSON { for note in outcome.notes { Self.tell("    \(note)\n") } }
            for violation in violations { Self.complain("\(row.name): \(violation)\n") }
            isFine = isFine && violations.isEmpty
        }
        exit(isFine ? 0 : 1)
    }

    private func line(_ row: FaultRow, _ outcome: FaultOutcome, _ violations: [String]) -> String {
        let recoveries = [0.5, 0.99, 1].map { share in
            outcome.recovery(share).map { String(format: "%8.2f", $0) } ?? "       –"
        }
        return Self.padded(row.name, 18)
            + String(
                format: "%7d%8d%6d%13d%7d", outcome.rounds, outcome.sent, outcome.lost, outcome.overlapping,
                outcome.again)
            + recoveries.joined() + (violations.isEmpty ? "" : "  NOT AS EXPECTED") + "\n"
    }

    private func json(_ row: FaultRow, _ outcome: FaultOutcome, _ violations: [String]) -> String {
        let fields: [String: Any] = [
            "row": row.name, "rounds": outcome.rounds, "sent": outcome.sent, "lost": outcome.lost,
            "overlapping": outcome.overlapping, "again": outcome.again,
            "recovery": ["p50", "p99", "max"].enumerated().reduce(into: [String: Any]()) { fields, name in
                fields[name.element] = outcome.recovery([0.5, 0.99, 1][name.offset])
            },
            "violations": violations,
        ]
        guard let data = try? JSONSerialization.data(withJSONObject: fields, options: .sortedKeys) else { return "" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    // MARK: Words

    private static func padded(_ text: String, _ width: Int) -> String {
        text.padding(toLength: max(width, text.count + 1), withPad: " ", startingAt: 0)
    }

    private static func number(_ text: String?) -> Int {
        guard let number = text.flatMap({ Int($0) }), number > 0 else { refuse("a number above zero is missing") }
        return number
    }

    private static func tell(_ text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }

    private static func complain(_ text: String, onlyTerminal: Bool = false) {
        if onlyTerminal, isatty(STDERR_FILENO) == 0 { return }
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    private static func refuse(_ text: String) -> Never {
        complain("faults: \(text)\n\(usage)")
        exit(2)
    }
}
