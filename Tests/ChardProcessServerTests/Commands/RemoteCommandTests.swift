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
            for words in [["control", "shutdown"], ["control", "shutdown", "-d", "gone@here"]] {
                let unheard = try await CommandRun(bench.start("chard", words))
                #expect(unheard.status == 3 && unheard.isOneLine, "\(unheard)")
                #expect(unheard.talk.contains("nobody listens"), "\(unheard)")
            }
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
            let why = try await bench.app.send("interop.unheard_of", queue: "celery")
            try await eventually("it is put aside") {
                try await bench.chard("why", why.id, "--json").json["cause"] == "dead"
            }
            _ = try await bench.chard("queues", "pause", "celery")
            let paused = try await bench.app.send("interop.unheard_of")
            let unregistered = try await bench.chard("why", paused.id, "--json")
            #expect(try unregistered.json["cause"] == "unregistered", "\(unregistered)")
            let told = try await bench.chard("control", "shutdown")
            #expect(told.status == 0 && told.output.hasPrefix("told interop@"), "\(told)")
            #expect(try await worker.finished() == 0, "\(worker.talk)")
        }
    }

    @Test("on a file, what needs Redis says so in its own words")
    func file() async throws {
        let file = FileManager.default.temporaryDirectory.path + "/remote-\(UInt32.random(in: 0 ... .max)).db"
        defer { try? FileManager.default.removeItem(atPath: file) }
        for (words, text) in [
            (["events"], "cannot carry events of workers; Redis can"),
            (["inspect", "ping"], "cannot reach workers by remote control; Redis can"),
        ] {
            let program = try Program("chard", words, environment: ["CHARD_BROKER_URL": "sqlite:///\(file)"])
            let run = try await CommandRun(program)
            #expect(run.status == 2 && run.isOneLine && run.talk.contains(text), "\(run)")
        }
    }
}
