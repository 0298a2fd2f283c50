// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials
import Logging
import Testing

@testable import ChardCommand

@Suite("A flag wins over the environment, the environment over the file")
struct SettingsTests {
    @Test(
        "The first place that has a value decides",
        arguments: [
            ("flag", "environment", #"{"key_prefix": "file"}"#, "flag", "--key-prefix"),
            (nil, "environment", #"{"key_prefix": "file"}"#, "environment", "CHARD_KEY_PREFIX"),
            (nil, nil, #"{"key_prefix": "file"}"#, "file", "FILE: key_prefix"),
            (nil, "", #"{"key_prefix": "file"}"#, "file", "FILE: key_prefix"),
            (nil, nil, "{}", nil, nil),
        ] as [(String?, String?, String, String?, String?)])
    func precedence(flag: String?, variable: String?, file: String, value: String?, origin: String?) throws {
        try withFile(file) { path in
            let settings = try SettingsReader(
                config: path, environment: variable.map { ["CHARD_KEY_PREFIX": $0] } ?? [:])
            let found = try settings.text(.keyPrefix, flag: flag, named: "--key-prefix")
            #expect(found?.value == value)
            #expect(found?.origin == origin?.replacing("FILE", with: path))
        }
    }

    @Test("The environment may name the file; a flag wins over that, too")
    func fileFromTheEnvironment() throws {
        try withFile(#"{"worker_concurrency": 3}"#) { path in
            let settings = try SettingsReader(config: nil, environment: ["CHARD_CONFIG": path])
            #expect(try settings.integer(.workerConcurrency, flag: nil) == 3)
            try withFile(#"{"worker_concurrency": 4}"#) { other in
                let settings = try SettingsReader(config: other, environment: ["CHARD_CONFIG": path])
                #expect(try settings.integer(.workerConcurrency, flag: nil) == 4)
            }
        }
    }

    @Test("The environment's names have commas between, the file's are an array")
    func names() throws {
        let settings = try SettingsReader(config: nil, environment: ["CHARD_WORKER_QUEUES": "math, mail,"])
        #expect(try settings.names(.workerQueues, flag: []) == ["math", "mail"])
        #expect(try settings.names(.workerQueues, flag: ["other"]) == ["other"])
        try withFile(#"{"worker_queues": ["a", "b,c"]}"#) { path in
            let settings = try SettingsReader(config: path, environment: [:])
            #expect(try settings.names(.workerQueues, flag: []) == ["a", "b,c"])
        }
    }

    @Test("Steps of priority and their separator: from the environment and the file, and of neither nothing")
    func priorities() throws {
        let ten = ["CHARD_PRIORITY_STEPS": "0, 1,2,3,4,5,6,7,8,9", "CHARD_PRIORITY_SEPARATOR": ":"]
        let set = try SettingsReader(config: nil, environment: ten).priorities()
        #expect(set == (try PrioritySteps(Array(0...9), separator: ":")))
        #expect(try SettingsReader(config: nil, environment: [:]).priorities() == nil)
        let separator = try SettingsReader(config: nil, environment: ["CHARD_PRIORITY_SEPARATOR": ":"]).priorities()
        #expect(separator?.steps == [0, 3, 6, 9] && separator?.separator == ":")
        try withFile(#"{"priority_steps": [0, 5]}"#) { path in
            let read = try SettingsReader(config: path, environment: [:]).priorities()
            #expect(read?.steps == [0, 5] && read?.separator == "\u{6}\u{16}")
        }
        for text in ["0,x", "3,6", "0,5,5"] {
            let reader = try SettingsReader(config: nil, environment: ["CHARD_PRIORITY_STEPS": text])
            let error = try #require(throws: (any Error).self) { try reader.priorities() }
            #expect("\(error)".contains("CHARD_PRIORITY_STEPS"), "\(error)")
        }
    }

    @Test("The URL and the settings must not contradict each other about priorities")
    func contradiction() throws {
        let url = "redis://localhost?priority_steps=0,5"
        #expect(try (openBroker(url) as? RedisBroker)?.keys.priorities.steps == [0, 5])
        #expect(try openBroker(url, priorities: try PrioritySteps([0, 5])) is RedisBroker)
        let error = try #require(throws: BrokerError.self) { try openBroker(url, priorities: .usual) }
        #expect(error.code == .misconfigured, "\(error)")
    }

    @Test(
        "A wrong file is refused in one line that says where and what",
        arguments: [
            (#"{"brokr_url": "redis://x"}"#, #"unknown key "brokr_url"; did you mean "broker_url"?"#),
            (#"{"colour": 1}"#, #"unknown key "colour"; known are broker_url, results_url,"#),
            (#"{"worker_concurrency": "4"}"#, "worker_concurrency is not a whole number"),
            (#"{"worker_concurrency": 4.5}"#, "worker_concurrency is not a whole number"),
            (#"{"worker_queues": ["a", 1]}"#, "worker_queues is not names of queues"),
            (#"{"broker_url": 1}"#, "broker_url is not a URL as text"),
            ("[]", "holds no JSON object"),
            ("{", "is not JSON: expected"),
            ("", "is not JSON: expected"),
        ])
    func wrongFile(text: String, message: String) throws {
        let error = try #require(throws: CommandError.self) {
            try SettingsFile(parsing: Array(text.utf8), path: "chard.json").validate()
        }
        #expect(error.status == .misused)
        #expect(error.description.contains(message), "\(error)")
        #expect(error.description.hasPrefix("chard.json"))
        #expect(!error.description.contains("\n"))
    }

    @Test("A file that is not there, or is a folder, is said to be so")
    func noFile() throws {
        let missing = try #require(throws: CommandError.self) {
            try SettingsReader(config: "/nowhere/chard.json", environment: [:])
        }
        #expect(missing.description == "there is no settings file /nowhere/chard.json")
        let folder = try #require(throws: CommandError.self) { try SettingsReader(config: "/", environment: [:]) }
        #expect(folder.description == "the settings file / cannot be read")
        #expect(folder.status == .misused)
    }

    @Test("A number in the environment that is none is refused, without its value")
    func wrongNumber() throws {
        let settings = try SettingsReader(config: nil, environment: ["CHARD_WORKER_CONCURRENCY": "many"])
        let error = try #require(throws: CommandError.self) {
            _ = try settings.integer(.workerConcurrency, flag: nil)
        }
        #expect(error.description == "CHARD_WORKER_CONCURRENCY is not a whole number")
        #expect(error.status == .misused)
    }

    @Test(
        "Only variables that look like a slip are warned of",
        arguments: [
            ("CHARD_BROKER", "did you mean CHARD_BROKER_URL?"), ("CHARD_BROKR_URL", "did you mean CHARD_BROKER_URL?"),
            ("CHARD_LOGLEVEL", "did you mean CHARD_LOG_LEVEL?"),
            ("CHARD_CONCURRENCY", "did you mean CHARD_WORKER_CONCURRENCY?"),
            ("CHARD_CONFG", "did you mean CHARD_CONFIG?"),
            ("CHARD_PORT_6379_TCP", nil), ("CHARD_SERVICE_HOST", nil), ("CHARD_TEST_PYTHON", nil),
            ("CHARD_WORKER_SERVICE_HOST", nil), ("BROKER", nil), ("CHARD_BROKER_URL", nil),
        ] as [(String, String?)])
    func warnings(name: String, hint: String?) throws {
        let settings = try SettingsReader(config: nil, environment: [name: "x"])
        #expect(settings.warnings == (hint.map { ["\(name) in the environment means nothing; \($0)"] } ?? []))
    }

    @Test("Log levels are read in any case, and a misspelt one is answered with the one that was meant")
    func logLevels() throws {
        #expect(try Logger.Level(naming: "DEBUG", from: "--log-level") == .debug)
        let error = try #require(throws: CommandError.self) { try Logger.Level(naming: "inof", from: "--log-level") }
        #expect(error.description == "--log-level: there is no log level \"inof\"; did you mean \"info\"?")
    }

    private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("chard-\(TaskID.random()).json")
        try Data(text.utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        try body(path.path)
    }
}
