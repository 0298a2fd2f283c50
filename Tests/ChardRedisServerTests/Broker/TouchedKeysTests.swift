// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

/// Servers that look at a request before they run it, and those of a cluster, want to know all keys that a script touches.
@Suite("What scripts touch on a Redis server", .timeLimit(.minutes(5)))
struct TouchedKeysTests {
    @Test("every key that a script touches is among its keys, and no request is too long")
    func touched() async throws {
        try await RedisServer.with { server in
            let monitor = try Program("/usr/bin/env", ["redis-cli", "-p", "\(server.port)", "MONITOR"])
            try await eventually("the monitor listens") { monitor.output.hasPrefix("OK") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, clause) in BrokerClause.all.enumerated() {
                    group.addTask {
                        let fixture = RedisFixture(server: server, prefix: "clause-\(number):")
                        try await clause.verify(on: fixture)
                    }
                    if number >= 8 { try await group.next() }
                }
                try await group.waitForAll()
            }
            _ = try await server.cli("SET", "the end", "")
            try await eventually("the monitor has seen the end") { monitor.output.contains("\"the end\"") }
            monitor.signal(15)
            let watch = ScriptWatch(monitor.output)
            #expect(watch.findings.prefix(5) == [])
            // Or the test would hold because it saw nothing.
            #expect(watch.scripts > 1_000 && watch.touched > 5_000)
        }
    }
}

/// Reads what a monitor has seen: scripts, each followed by the commands that it ran.
private struct ScriptWatch {
    private(set) var findings: [String] = []
    private(set) var scripts = 0
    private(set) var touched = 0
    private var keys: Set<Substring> = []

    init(_ output: String) {
        for line in output.split(separator: "\n") { see(line) }
    }

    private mutating func see(_ line: Substring) {
        guard let origin = line.firstRange(of: "] ") else { return }
        let words = Self.words(line[origin.upperBound...])
        let name = words.first?.lowercased() ?? ""
        if line[..<origin.lowerBound].hasSuffix(" lua") {
            for key in Self.keys(of: name, words.dropFirst()) {
                touched += 1
                if !keys.contains(key) { findings.append("\(name) touches \(key), which is no key of the script") }
            }
        } else if name == "evalsha", words.count > 2, let count = Int(words[2]) {
            scripts += 1
            keys = Set(words.dropFirst(3).prefix(count))
            if count == 0 { findings.append("a script without keys: \(words[1])") }
            if words.count - 3 > 1_000 { findings.append("a script with \(words.count - 3) keys and arguments") }
        } else if words.count > 1_002 {
            findings.append("\(name) with \(words.count - 1) arguments")
        }
    }

    /// The words of a line, quoted and escaped as the monitor writes them, without their quotes.
    private static func words(_ text: Substring) -> [Substring] {
        var words: [Substring] = []
        var start: Substring.Index?
        var isEscaped = false
        for index in text.indices {
            if isEscaped {
                isEscaped = false
            } else if text[index] == "\\" {
                isEscaped = true
            } else if text[index] == "\"" {
                if let from = start {
                    words.append(text[text.index(after: from)..<index])
                    start = nil
                } else {
                    start = index
                }
            }
        }
        return words
    }

    private static func keys(of command: String, _ words: ArraySlice<Substring>) -> [Substring] {
        switch command {
        case "time", "publish": []
        case "lmove", "rename": Array(words.prefix(2))
        case "exists", "del", "unlink", "mget": Array(words)
        default: Array(words.prefix(1))
        }
    }
}
