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

    @Test("A log entry is one line, whatever it holds")
    func logLine() {
        var handler = LineLogHandler(metadataProvider: nil, logLevel: .info, label: "chard.worker")
        handler[metadataKey: "task_id"] = "7"
        let event = LogEvent(
            level: .warning, message: "lost\nerror forged", metadata: ["error": "two words"], source: nil, file: "f",
            function: "g", line: 1)
        #expect(
            handler.line(for: event, at: Date(timeIntervalSince1970: 0))
                == "1970-01-01T00:00:00.000000+00:00 warning chard.worker: lost\\nerror forged "
                + "error=\"two words\" task_id=7")
    }
}
