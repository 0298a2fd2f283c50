// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Testing

@testable import ChardCommand

@Suite("Answers are readable, and nothing in them steers a terminal")
struct OutputTests {
    @Test("Columns are aligned, without spaces at the ends of lines")
    func table() {
        var table = Table("QUEUE", "WAITING", "OLDEST", rightAligned: [1])
        table.add("celery", "12", "3 s")
        table.add("möbel", "1200000", "-")
        #expect(
            table.text == """
                QUEUE   WAITING  OLDEST
                celery       12  3 s
                möbel   1200000  -
                """)
    }

    @Test("A name of 100 KB does not widen a table, nor does one of many characters that are few")
    func longName() {
        var table = Table("TASK", "QUEUE")
        table.add(String(repeating: "x", count: 100_000), "celery")
        table.add(String(repeating: "🌱", count: 100), "celery")
        #expect(table.text.split(separator: "\n").allSatisfy { $0.count <= 110 })
        #expect(table.text.contains("xxx…  celery"))
    }

    @Test("Lines of others' texts are set in, and are none of ours")
    func indented() {
        #expect("KeyError: a\nshop: all is well\n\nid  7".indented() == "KeyError: a\n  shop: all is well\n\n  id  7")
        #expect("one line".indented() == "one line")
    }

    @Test(
        "What is past is overdue",
        arguments: [(30.0, "30 s"), (0.2, "0 s"), (-0.2, "0 s"), (-9.0, "9 s overdue"), (-7200.0, "2 h overdue")])
    func waits(seconds: Double, words: String) {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        #expect(Words.wait(until: now + seconds, from: now) == words)
    }

    @Test("A listing leaves out what has no value")
    func listing() {
        var listing = Listing()
        listing.add("id", "7")
        listing.add("task", nil)
        listing.add("state", "SUCCESS")
        listing.add("", "since noon")
        #expect(listing.text == "id     7\nstate  SUCCESS\n       since noon")
    }

    @Test(
        "Control characters are made visible",
        arguments: [
            ("plain", "plain"), ("möbel 🌱", "möbel 🌱"), ("a\u{1B}[2Jb", "a\\u{1B}[2Jb"), ("a\nb", "a\\nb"),
            ("a\u{202E}b", "a\\u{202E}b"), ("a\u{7F}", "a\\u{7F}"),
        ])
    func printable(text: String, shown: String) {
        #expect(text.printable() == shown)
    }

    @Test("Lines may be kept where many are expected")
    func printableLines() {
        #expect("a\nb\tc\r".printable(keepingNewlines: true) == "a\nb\\tc\\r")
    }

    @Test(
        "Time spans are as exact as is of interest",
        arguments: [
            (-1, "0 s"), (0, "0 s"), (0.04, "0.0 s"), (0.44, "0.4 s"), (3, "3 s"), (9.96, "10.0 s"), (90, "90 s"),
            (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 d"), (1e300, "1000000000 d"),
        ])
    func durations(seconds: Double, words: String) {
        #expect(Words.duration(seconds) == words)
    }

    @Test("Points in time are given in UTC, to the second")
    func times() {
        #expect(Words.time(Date(timeIntervalSince1970: 1_795_293_113.62)) == "2026-11-21 20:31:53 UTC")
        #expect(Words.count(1, "message") == "1 message")
        #expect(Words.count(0, "message") == "0 messages")
    }

    private static let event = LogEvent(
        level: .warning, message: "lost\nerror forged",
        metadata: ["error": "two words", "level": "low", "count": .stringConvertible(3)], source: nil, file: "f",
        function: "g", line: 1)

    private func line(_ format: LogFormat, isColoured: Bool = false) -> String {
        var handler = LineLogHandler(
            metadataProvider: nil, style: .init(format: format, isColoured: isColoured), label: "chard.worker")
        handler[metadataKey: "task_id"] = "7"
        return handler.line(for: Self.event, at: Date(timeIntervalSince1970: 0))
    }

    @Test("A log entry is one line, whatever it holds")
    func logLine() {
        let rest =
            " chard.worker: lost\\nerror forged count=3 error=\"two words\" level=low task_id=7"
        #expect(line(.text) == "1970-01-01T00:00:00.000000+00:00 warning" + rest)
        #expect(line(.text, isColoured: true) == "1970-01-01T00:00:00.000000+00:00 \u{1B}[33mwarning\u{1B}[0m" + rest)
    }

    @Test("In JSON it is one object, whose own members nobody's metadata replaces")
    func logObject() throws {
        let text = line(.json, isColoured: true)
        #expect(!text.contains("\n"))
        #expect(
            try JSON(parsing: Array(text.utf8)) == [
                "time": "1970-01-01T00:00:00.000000+00:00", "level": "warning", "logger": "chard.worker",
                "message": "lost\nerror forged", "error": "two words", "metadata.level": "low", "count": 3,
                "task_id": "7",
            ])
    }

    @Test("Colours are for terminals whose user has nothing against them")
    func colours() {
        // The tests' standard error is no terminal, or one: what forbids colours counts either way.
        #expect(!Output.showsColours(["NO_COLOR": "1", "TERM": "xterm"]))
        #expect(!Output.showsColours(["TERM": "dumb"]))
    }
}
