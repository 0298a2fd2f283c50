// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials
import Testing
import Yams

@testable import ChardCommand

@Suite("compose.yaml and the Dockerfile fit the commands that they start")
struct ComposeFileTests {
    private func text(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return String(decoding: try Data(contentsOf: root.appendingPathComponent(path)), as: UTF8.self)
    }

    private func service(_ name: String) throws -> Node {
        let document = try Yams.compose(yaml: text("compose.yaml"))
        return try #require(document?["services"]?[name], "no service \(name)")
    }

    private func words(_ node: Node?) throws -> [String] {
        let words = node?.sequence?.compactMap(\.scalar?.string)
        return try #require(words)
    }

    @Test("Worker and beat take their flags, and Docker's patience is longer than theirs")
    func commands() throws {
        let worker = try service("worker")
        let command = try words(worker["command"])
        try #require(command.first == "worker")
        let parsed = try WorkerCommand.parse(Array(command.dropFirst()))
        #expect(parsed.processes == 2)
        let grace = try #require(parsed.grace?.duration.seconds)
        let patience = try #require(worker["stop_grace_period"]?.scalar?.string)
        // A supervisor ends what does not end by itself ten seconds later.
        #expect(Double(patience.dropLast()).map { $0 >= grace + 10 } == true && patience.last == "s")
        let beat = try words(try service("beat")["command"])
        try #require(beat.first == "beat")
        _ = try BeatCommand.Start.parse(Array(beat.dropFirst()))
        let check = try words(try service("web")["healthcheck"]?["test"])
        #expect(check.prefix(3) == ["CMD", "program", "probe"])
        let probe = try ProbeCommand.parse(Array(check.dropFirst(3)))
        #expect(ProbeTarget(url: probe.what)?.port == 8080)
    }

    @Test("Redis keeps what it has acknowledged, with and without TLS", arguments: ["redis", "redis-tls"])
    func redis(name: String) throws {
        let command = try words(try service(name)["command"])
        for option in [["--appendonly", "yes"], ["--maxmemory-policy", "noeviction"]] {
            #expect(command.indices.contains { command[$0...].starts(with: option) }, "\(command)")
        }
    }

    @Test("Every variable stands in .env.example, with the value that counts without it")
    func variables() throws {
        let compose = try text("compose.yaml")
        var asked: [String: String] = [:]
        for match in compose.matches(of: /\$\{([A-Z_]+):-([^}]*)\}/) { asked["\(match.1)"] = "\(match.2)" }
        var named: [String: String] = [:]
        for line in try text(".env.example").split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1)
            named["\(parts[0])"] = "\(parts[1])"
        }
        #expect(asked == named && !asked.isEmpty)
        let settings = try SettingsReader(
            config: nil, environment: named.filter { $0.key.hasPrefix(Setting.variablePrefix) })
        #expect(settings.warnings == [])
        let found = try Setting.all.compactMap { try settings.lookUp($0) }
        #expect(found.count == 3)
    }

    @Test("The image is Debian 12 throughout, runs as nobody, and its health is asked as the program answers")
    func image() throws {
        let lines = try text("docker/Dockerfile").split(separator: "\n")
        let bases = lines.filter { $0.hasPrefix("FROM ") && !$0.hasPrefix("FROM toolchain") }
        #expect(bases.allSatisfy { $0.contains("bookworm") } && bases.count == 2)
        #expect(lines.contains("USER 10001"))
        let address = lines.first { $0.hasPrefix("ENV CHARD_HTTP=") }?.dropFirst("ENV CHARD_HTTP=".count)
        #expect(address.flatMap { ProbeAddress(String($0)) }?.port == 9100)
        #expect(
            lines.contains { $0.hasPrefix("HEALTHCHECK ") && $0.hasSuffix(#"CMD ["/usr/local/bin/program", "probe"]"#) }
        )
    }
}
