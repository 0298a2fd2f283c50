// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

/// Whoever waits for a workflow is told of its end, whatever somebody has done to the keys of its joins.
@Suite("Joins whose keys hold something else", .atOnce(4), .timeLimit(.minutes(2)))
struct CorruptJoinTests {
    /// What is done to the chord `g`, and what its body comes to.
    struct Damage: Sendable, CustomTestStringConvertible {
        let command: [String]
        /// Whether the end of a member is refused, so that its message is kept.
        var isRefused = true

        var testDescription: String { command.joined(separator: " ") }
    }

    static let damages: [Damage] = [
        Damage(command: ["SET", "j", "x"]), Damage(command: ["SET", "d", "x"]),
        Damage(command: ["SET", "s", "many"]), Damage(command: ["LPUSH", "s", "x"]),
        Damage(command: ["SET", "c", "x"]), Damage(command: ["LPUSH", "c", "x"]),
        Damage(command: ["ZADD", "j", "1", "no JSON"], isRefused: false),
    ]

    @Test("the body fails with the reason, and so does what waits for it", arguments: damages)
    func damaged(damage: Damage) async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let double = app.task("double") { (x: Int) in 2 * x }
            let sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
            let members = try (0..<3).map { try double.signature($0) }
            let result = try await group(members).then(sum).then(double).enqueue()
            let message = try TaskMessage(decoding: Array(try await bench.server.cli("LINDEX", "celery", "0").utf8))
            let group = try #require(message.group)
            var command = damage.command
            command[1] = "celery-taskset-meta-\(group).\(command[1])"
            if command[0] != "ZADD" { _ = try await bench.server.cli("DEL", command[1]) }
            _ = try await bench.server.cli(command)
            try await bench.working(app) { _ in
                let status = try await result.finalStatus(timeout: .seconds(30))
                #expect(["ChordError", "ResultNotStored"].contains(status.error?.type), "\(status)")
                let text = status.error?.message ?? ""
                #expect(text.contains("WRONGTYPE") || text.contains("cannot be read"), "\(status)")
                try await eventually("all is settled") {
                    try await app.operator.queues.reports().allSatisfy { $0.waiting == 0 && $0.leased == 0 }
                }
                let dead = try await app.operator.queues.reports().reduce(0) { $0 + $1.dead }
                #expect((dead > 0) == damage.isRefused, "\(dead)")
            }
        }
    }
}
