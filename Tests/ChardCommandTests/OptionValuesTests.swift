// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Testing

@testable import ChardCommand

@Suite("Values of options are checked, and what is wrong with them is said")
struct OptionValuesTests {
    @Test("Arguments keep the kinds that JSON has")
    func arguments() throws {
        #expect(try OptionValues.array("[1, 1.0, \"x\", null]") == [1, 1.0, "x", nil])
        #expect(try OptionValues.object("{\"size\": 3}") == ["size": 3])
    }

    @Test("What is no JSON, or the wrong kind of it, is refused", arguments: ["", "{", "1", "[1", "{'a': 1}"])
    func wrongArguments(text: String) {
        #expect(throws: (any Error).self) { try OptionValues.array(text) }
        #expect(throws: (any Error).self) { try OptionValues.object(text) }
    }

    @Test("A header is cut at its first equals sign")
    func headers() throws {
        let header = try OptionValues.header("trace=a=b")
        #expect(header.name == "trace")
        #expect(header.value == "a=b")
        #expect(throws: (any Error).self) { try OptionValues.header("trace") }
        #expect(throws: (any Error).self) { try OptionValues.header("=x") }
    }

    @Test("A time without an offset is UTC")
    func times() throws {
        #expect(try OptionValues.time("1970-01-01T01:00:00") == Date(timeIntervalSince1970: 3600))
        #expect(try OptionValues.time("1970-01-01T01:00:00+01:00") == Date(timeIntervalSince1970: 0))
        #expect(throws: (any Error).self) { try OptionValues.time("tomorrow") }
    }

    @Test(
        "Seconds are a number from 0 to a hundred years",
        arguments: [
            ("5", .seconds(5)), ("0.25", .milliseconds(250)), ("0", .zero), ("-1", nil), ("nan", nil), ("inf", nil),
            ("1e300", nil), ("5s", nil),
        ] as [(String, Duration?)])
    func seconds(text: String, duration: Duration?) {
        #expect(Seconds(argument: text)?.duration == duration)
    }

    @Test(
        "A wait is for ever or for more than no time at all",
        arguments: [("forever", true), ("2", true), ("0", false), ("-1", false), ("long", false)])
    func waits(text: String, isValid: Bool) {
        #expect((WaitLimit(argument: text) != nil) == isValid)
    }

    @Test("Names may come in one option or in several")
    func names() {
        #expect(NameList.names(in: ["a, b", "c", ",,"]) == ["a", "b", "c"])
    }
}
