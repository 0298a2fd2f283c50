// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials
import Testing
import Yams

@testable import ChardCommand

@Suite("docs/deploy fits the commands that it starts")
struct DeploymentTests {
    private func text(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return String(decoding: try Data(contentsOf: root.appendingPathComponent("docs/deploy/" + path)), as: UTF8.self)
    }

    /// Whether a service manager waits for as long as a supervisor does, which ends ten seconds after its grace what does not.
    private func fits(_ patience: Double, _ words: some Sequence<String>) throws -> Bool {
        let worker = try WorkerCommand.parse(Array(words))
        return patience >= (worker.grace?.duration.seconds ?? 30) + 10
    }

    @Test("systemd's units", arguments: ["worker", "beat"])
    func units(name: String) throws {
        var values: [String: String] = [:]
        for line in try text("systemd/shop-\(name).service").split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values["\(parts[0])"] = "\(parts[1])" }
        }
        let words = try #require(values["ExecStart"]).split(separator: " ").dropFirst().map(String.init)
        let patience = try #require(values["TimeoutStopSec"].flatMap(Double.init))
        try #require(words.first == name)
        if name == "worker" {
            let isLongEnough = try fits(patience, words.dropFirst())
            #expect(isLongEnough)
        } else {
            _ = try BeatCommand.Start.parse(Array(words.dropFirst()))
        }
        #expect(values["Type"] == "notify" && values["TimeoutStartSec"] == "infinity")
        // The answer of /live may take five seconds, and is asked for three times.
        #expect(values["WatchdogSec"].flatMap(Double.init).map { $0 >= 30 } == true)
    }

    @Test("Kubernetes' manifests", arguments: ["worker", "beat", "web"])
    func manifests(name: String) throws {
        let documents = try Array(Yams.compose_all(yaml: text("kubernetes/\(name).yaml")))
        let pod = try #require(documents.first?["spec"]?["template"]?["spec"])
        let container = try #require(pod["containers"]?[0])
        let words = container["args"]?.sequence?.compactMap(\.scalar?.string) ?? []
        let patience = try #require(pod["terminationGracePeriodSeconds"]?.int)
        switch name {
        case "worker":
            let isLongEnough = try fits(Double(patience), words.dropFirst())
            #expect(isLongEnough && words.first == name)
        case "beat": _ = try BeatCommand.Start.parse(Array(words.dropFirst()))
        default: #expect(words.first == "serve")
        }
        for entry in container["env"]?.sequence ?? [] {
            let variable = try #require(entry["name"]?.scalar?.string)
            let setting = try #require(Setting.all.first { $0.variable == variable }, "\(variable)")
            guard let value = entry["value"]?.scalar?.string else { continue }
            let read = try #require(SettingValue(variable: value, as: setting.kind))
            try setting.check(read, variable)
        }
    }

    @Test("The autoscaler asks for a metric that there is")
    func metric() throws {
        let documents = try Array(Yams.compose_all(yaml: text("kubernetes/worker.yaml")))
        let metric = documents.last?["spec"]?["metrics"]?[0]?["external"]?["metric"]?["name"]?.scalar?.string
        #expect(metric == "chard_queue_oldest_seconds")
        let adapter = try text("kubernetes/metrics-adapter.yaml")
        #expect(adapter.contains("name: { as: chard_queue_oldest_seconds }"))
        let monitoring = try text("../monitoring.md")
        #expect(monitoring.contains("`chard_queue_waiting`, `…delayed`, `…leased`, `…dead_letters`, `…oldest_seconds`"))
    }
}
