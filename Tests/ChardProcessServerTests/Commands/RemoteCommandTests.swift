// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import TestServers
import Testing

@Suite("inspect, control and events, as processes on a real server", .timeLimit(.minutes(2)))
struct RemoteCommandTests {
    @Test("a worker answers, changes what it is told to, and tells what it does")
    func remote() async throws {
        try await ProcessBench.with { bench in
            let nobody = try await bench.chard("inspect", "ping")
            #expect(nobody.isOneLine && nobody.talk.contains("no worker has answered"), "\(nobody)")
            let worker = try await bench.worker()
            let pong = try await bench.chard("inspect", "ping", "--json")
            #expect(pong.status == 0, "\(pong)")
            #expect(try pong.json.object?.values.first?["ok"] == "pong", "\(pong)")
            let events = try bench.start("chard", ["events", "--follow", "--json"])
            try await events.says("listening")
            let turned = try await bench.chard("control", "enable_events")
            #expect(turned.status == 0, "\(turned)")
            let add = bench.app.reference("interop.add", taking: Int.self, Int.self, returning: Int.self)
            try await eventually("events of a task come") {
                _ = try await add.enqueue(2, 3).value(timeout: .seconds(20))
                return events.output.contains("task-succeeded")
            }
            events.signal(SIGINT)
            let unknown = try await bench.chard("inspect", "nonsense")
            #expect(unknown.status == 2 && unknown.isOneLine && unknown.talk.contains("nonsense"), "\(unknown)")
            try await bench.stop(worker)
        }
    }
}
