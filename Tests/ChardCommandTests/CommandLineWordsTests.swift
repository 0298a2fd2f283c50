// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardCommand

@Suite("Command lines are put right before they are parsed")
struct CommandLineWordsTests {
    @Test(
        "A number behind --wait is its value, anything else is not",
        arguments: [
            (["send", "add", "--wait"], ["send", "add", "--wait=forever"]),
            (["send", "add", "--wait", "5"], ["send", "add", "--wait=5"]),
            (["send", "--wait", "add"], ["send", "--wait=forever", "add"]),
            (["send", "--wait", "2.5", "add"], ["send", "--wait=2.5", "add"]),
            (["send", "add", "--wait=3"], ["send", "add", "--wait=3"]),
            (["send", "add", "--wait", "--json"], ["send", "add", "--wait=forever", "--json"]),
            (["result", "--wait", "x"], ["result", "--wait=forever", "x"]),
            (["send", "--", "--wait", "5"], ["send", "--", "--wait", "5"]),
            (["serve", "--wait", "5"], ["serve", "--wait", "5"]),
            ([], []),
        ])
    func wait(words: [String], tidied: [String]) {
        #expect(CommandLineWords.tidied(words) == tidied)
    }

    @Test(
        "Common options before the command's name count all the same",
        arguments: [
            (["--broker", "redis://b", "queues"], ["queues", "--broker", "redis://b"]),
            (["--broker=redis://b", "--json", "dead", "list"], ["dead", "list", "--broker=redis://b", "--json"]),
            (["-l", "debug", "send", "--", "x"], ["send", "-l", "debug", "--", "x"]),
            (["--json", "result", "x", "--wait"], ["result", "x", "--wait=forever", "--json"]),
            (["--json"], ["--json"]),
            (["--broker"], ["--broker"]),
            (["--help"], ["--help"]),
            (["--port", "1", "serve"], ["--port", "1", "serve"]),
            (["queues", "--broker", "redis://b"], ["queues", "--broker", "redis://b"]),
        ])
    func commonOptions(words: [String], tidied: [String]) {
        #expect(CommandLineWords.tidied(words) == tidied)
    }
}
