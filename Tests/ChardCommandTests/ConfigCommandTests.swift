// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization
import Testing

@testable import ChardCommand

@Suite("config shows what counts and whence it comes, and checks it")
struct ConfigCommandTests {
    private struct Run {
        var status: CommandStatus
        var answer: String
        var talk: String
    }

    private func run(_ words: [String], _ environment: [String: String] = [:], app: Chard = Chard("shop")) async -> Run
    {
        let said = Mutex((answer: "", talk: ""))
        let output = Output { stream, bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            said.withLock { if stream == .answer { $0.answer += text } else { $0.talk += text } }
            return 0
        }
        let launch = Launch(
            app: app, name: "shop", environment: environment, output: output, bootstrapsLogging: false)
        let status = await launch.run(["config"] + words)
        return said.withLock { Run(status: status, answer: $0.answer, talk: $0.talk) }
    }

    private func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("chard-\(TaskID.random()).yaml")
        try Data(text.utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        try await body(path.path)
    }

    @Test("Each value has its origin: flag, environment, file, code or default")
    func origins() async throws {
        let app = Chard("shop", broker: MemoryBroker())
        try await withFile("worker_grace: 7\nlog_level: debug\nkey_prefix: file\n") { path in
            let environment = ["CHARD_LOG_LEVEL": "warning", "CHARD_HTTP": ":9100", "CHARD_CONFIG": path]
            let shown = await run(
                ["show", "--origin", "--key-prefix", "flag", "--", "worker", "-c", "4", "-l", "error"], environment,
                app: app)
            #expect(shown.status == .done && shown.talk.isEmpty, "\(shown)")
            let lines = shown.answer.split(separator: "\n").map {
                $0.split(separator: " ", omittingEmptySubsequences: true)
            }
            func line(_ name: String) -> String {
                lines.first { $0.first == name[...] }?.dropFirst().joined(separator: " ") ?? ""
            }
            #expect(line("broker_url") == "memory:// code")
            #expect(line("key_prefix") == "flag flag: --key-prefix")
            #expect(line("worker_concurrency") == "4 flag: --concurrency")
            #expect(line("log_level") == "error flag: --log-level")
            #expect(line("http") == ":9100 environment: CHARD_HTTP")
            #expect(line("worker_grace") == "7 file: \(path):1: worker_grace")
            #expect(line("worker_processes") == "1 default")
            #expect(line("results_url") == "(the broker) default")
            #expect(lines.count == Setting.all.count + 1)

            let json = try JSON(parsing: Array(await run(["show", "--json"], environment).answer.utf8))
            let level = json["settings"]?.array?.first { $0["name"] == "log_level" }
            #expect(
                level?["value"] == "warning" && level?["origin"] == "environment"
                    && level?["place"] == "CHARD_LOG_LEVEL")
            let grace = json["settings"]?.array?.first { $0["name"] == "worker_grace" }
            #expect(grace?["value"] == 7 && grace?["origin"] == "file")
            #expect(json["file"] == .string(path))
        }
    }

    @Test(
        "No password is ever shown, whatever is wrong with the URL around it",
        arguments: [
            ("redis://user:secret@host:6379/1", "redis://***@host:6379/1"),
            ("rediss://:sec%40ret@host/0?ssl_ca_certs=/ca.pem", "rediss://***@host/0?ssl_ca_certs=/ca.pem"),
            ("redis://u:se/c?r@et@host", "redis://***@host"),
            ("redis://host?password=secret", "redis://host?password=***"),
            ("secret", "***"), ("sqlite:////a@b/c.db?synchronous=normal", "sqlite:////a@b/c.db?synchronous=normal"),
        ])
    func masking(url: String, shown: String) async {
        #expect(MaskedURL.text(url) == shown)
        for words in [["show", "--origin"], ["show", "--json"], ["check"]] {
            let run = await run(words, ["CHARD_BROKER_URL": url])
            #expect(!run.answer.contains("secret") && !run.talk.contains("secret"), "\(run)")
            #expect(!run.answer.contains("sec%40ret") && !run.talk.contains("se/c"), "\(run)")
        }
    }

    @Test("check tells all that is wrong in file and environment, one line each, and ends with 2")
    func check() async throws {
        try await withFile("worker_concurency: 3\nworker_processes: none\n") { path in
            let wrong = ["CHARD_WORKER_GRACE": "soon", "CHARD_LOG_FORMAT": "xml", "CHARD_BROKER": "x"]
            let checked = await run(["check", path], wrong)
            #expect(checked.status == .misused && checked.answer.isEmpty)
            for text in [
                "\(path):1: unknown key \"worker_concurency\"; did you mean \"worker_concurrency\"?",
                "\(path):2: worker_processes is not a whole number", "CHARD_WORKER_GRACE is not a number of seconds",
                "CHARD_LOG_FORMAT: there is no log format \"xml\"", "did you mean CHARD_BROKER_URL?",
            ] {
                #expect(checked.talk.contains(text), "\(checked.talk)")
            }
            #expect(checked.talk.split(separator: "\n").count == 5)
            let json = await run(["check", "--json", path], wrong)
            #expect(json.status == .misused)
            let document = try JSON(parsing: Array(json.answer.utf8))
            #expect(document["problems"]?.array?.count == 4 && document["warnings"]?.array?.count == 1)
            let shown = await run(["show", "--config", path], wrong)
            #expect(shown.status == .misused && shown.answer.contains("worker_grace"), "\(shown)")
            // What is wrong keeps every other command from doing anything.
            let other = await run(["check", path])
            #expect(other.status == .misused && other.talk.split(separator: "\n").count == 2)
        }
        try await withFile("worker_processes: 2\n") { path in
            let fine = await run(["check", path], ["CHARD_BROKER_URL": "redis://localhost"])
            #expect(fine.status == .done && fine.answer == "\(path): nothing is wrong; 2 settings set\n", "\(fine)")
        }
        let missing = await run(["check", "/nowhere.yaml"])
        #expect(missing.status == .misused && missing.talk == "shop: there is no settings file /nowhere.yaml\n")
    }

    @Test("check finds settings that contradict each other")
    func contradiction() async {
        let prefix = await run(["check"], ["CHARD_BROKER_URL": "sqlite:///a.db", "CHARD_KEY_PREFIX": "x"])
        #expect(prefix.status == .misused && prefix.talk.contains("a key prefix is for servers"), "\(prefix)")
        let steps = await run(
            ["check"], ["CHARD_BROKER_URL": "redis://h?priority_steps=0,5", "CHARD_PRIORITY_STEPS": "0,3"])
        #expect(steps.status == .misused && steps.talk.contains("other steps of priority"), "\(steps)")
    }

    @Test("docs/configuration.md is made of the table: chard config docs > docs/configuration.md")
    func page() async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let written = String(
            decoding: try Data(contentsOf: root.appendingPathComponent("docs/configuration.md")), as: UTF8.self)
        let made = await run(["docs"])
        #expect(made.answer == written)
    }

    @Test("The table is whole: names are different, defaults right, and there are fewer than forty")
    func table() throws {
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count && Setting.all.count < 40)
        for setting in Setting.all {
            #expect(setting.meaning.hasSuffix(".") && !setting.expected.isEmpty)
            guard !setting.usual.hasPrefix("(") else { continue }
            let usual = try #require(setting.usualValue, "\(setting.name)")
            try setting.check(usual, setting.name)
            #expect(usual.text == setting.usual)
        }
    }
}
