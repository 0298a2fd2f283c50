// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardCommand

@Suite("The settings file, in YAML and JSON")
struct SettingsFileTests {
    private func file(_ text: String, _ path: String = "chard.yaml") throws -> SettingsFile {
        try SettingsFile(parsing: Array(text.utf8), path: path)
    }

    @Test("YAML says the same as JSON, whatever kind of value YAML itself would see")
    func yaml() throws {
        let read = try file(
            """
            # The mail workers.
            broker_url: redis://localhost:6379/2
            worker_queues: [mail, "a,b"]
            worker_concurrency: 3
            worker_events: on
            worker_node: no
            key_prefix: 12
            worker_grace: 1.5
            priority_steps:
              - 0
              - 5
            http: 0.0.0.0:9100
            """)
        #expect(read.problems == [])
        #expect(read[.brokerURL]?.value == .text("redis://localhost:6379/2"))
        #expect(read[.workerQueues]?.value == .names(["mail", "a,b"]))
        #expect(read[.workerConcurrency]?.value == .wholeNumber(3))
        #expect(read[.workerConcurrency]?.origin == "chard.yaml:4: worker_concurrency")
        #expect(read[.workerEvents]?.value == .flag(true))
        #expect(read[.workerNode]?.value == .text("no"))
        #expect(read[.keyPrefix]?.value == .text("12"))
        #expect(read[.workerGrace]?.value == .number(1.5))
        #expect(read[.prioritySteps]?.value == .wholeNumbers([0, 5]))
        #expect(try file("# nothing\n").problems == [])
        #expect(try file(#"{"worker_processes": 2}"#, "a.YML")[.workerProcesses]?.value == .wholeNumber(2))
    }

    @Test("All that is wrong is told at once, by line, with the name that was meant and no password")
    func problems() throws {
        let read = try file(
            """
            brokr_url: redis://localhost
            worker_concurrency: many
            worker_processes: 5000
            results_url: redis://:secret@host:port/0
            worker_node:
            worker_queues: {a: b}
            log_level: inof
            log_rate: 0
            dead_letter_days: -1
            http: "9100"
            priority_steps: [3, 6]
            worker_grace: -5
            """)
        let expected = [
            #"chard.yaml:1: unknown key "brokr_url"; did you mean "broker_url"?"#,
            "chard.yaml:2: worker_concurrency is not a whole number",
            "chard.yaml:3: worker_processes is 5000; it must be no more than 1024",
            "chard.yaml:4: results_url: not a Redis URL: ",
            "chard.yaml:5: worker_node is not a name",
            "chard.yaml:6: worker_queues is not names of queues",
            #"chard.yaml:7: log_level: there is no log level "inof"; did you mean "info"?"#,
            "chard.yaml:8: log_rate is 0.0; it must be above 0",
            "chard.yaml:9: dead_letter_days is -1.0; it must be a number of days above 0",
            "chard.yaml:10: http is not an address such as 127.0.0.1:9100: 9100",
            "chard.yaml:11: priority_steps: ",
            "chard.yaml:12: worker_grace is -5.0; it must be a number of seconds",
        ]
        try #require(read.problems.count == expected.count, "\(read.problems)")
        for (problem, start) in zip(read.problems, expected) {
            #expect(problem.hasPrefix(start), "\(problem)")
            #expect(!problem.contains("secret") && !problem.contains("\n"))
        }
        let error = try #require(throws: CommandError.self) { try read.validate() }
        #expect(error.status == .misused)
    }

    @Test(
        "What is no YAML, or none of keys, is said so in one line",
        arguments: [
            ("a: [1", "chard.yaml is not YAML: line "), ("- a\n- b", "chard.yaml holds no keys with values"),
            ("key_prefix: a\nkey_prefix: b", "chard.yaml is not YAML: line 1: key_prefix stands there more than once"),
            ("a: 1\n---\nb: 2", "chard.yaml is not YAML: "), ("a: *b", "chard.yaml is not YAML: "),
        ])
    func noYAML(text: String, message: String) throws {
        let error = try #require(throws: CommandError.self) { try file(text) }
        #expect(error.description.hasPrefix(message), "\(error)")
        #expect(!error.description.contains("\n") && error.status == .misused)
    }
}
