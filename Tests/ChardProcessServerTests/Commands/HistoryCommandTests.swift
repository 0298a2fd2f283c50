// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("What became of a task, from the shell", .timeLimit(.minutes(3)))
struct HistoryCommandTests {
    @Test("show, list and why tell of a failure, with node, duration and error")
    func failure() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "1", "-n", "node@here")
            let task = try await bench.app.send("interop.fail", Arguments(["oh no", "KeyError"]))
            let other = try await bench.app.send("interop.add", Arguments([2, 3]))
            #expect(try await other.value(timeout: .seconds(20)) == 5)
            try await eventually("both are remembered") {
                try await bench.chard("list", "--json").lines.count == 2
            }
            let shown = try await bench.chard("show", task.id)
            #expect(shown.status == 0, "\(shown)")
            for text in ["interop.fail", "failure", "KeyError: oh no", "node@here", "FAILURE"] {
                #expect(shown.output.contains(text), "\(text) in \(shown)")
            }
            let json = try await bench.chard("show", task.id, "--json").json
            #expect(json["now"]?["state"] == "failure" && json["attempts"]?.array?.count == 1)
            #expect(json["attempts"]?.array?[0]["node"] == "node@here")
            let failed = try await bench.chard(
                "list", "--state", "failed", "--task", "interop.*", "--since", "1h", "--error", "OH", "--json")
            #expect(failed.lines.count == 1, "\(failed)")
            #expect(try failed.json["id"] == .string(task.id))
            #expect(try await bench.chard("list", "--state", "failed", "--task", "shop.*", "--json").lines.isEmpty)
            #expect(try await bench.chard("why", task.id, "--json").json["cause"] == "over")
            let never = try await bench.chard("show", "nobody")
            #expect(never.status == 1 && never.talk.contains("never sent"), "\(never)")
            #expect(try await bench.chard("list", "--state", "faild").talk.contains("failed"))
            try await bench.stop(worker)
        }
    }

    @Test("why and result tell what keeps a task from running; queues show lists what waits, page by page")
    func waiting() async throws {
        try await ProcessBench.with { bench in
            var ids: [String] = []
            for _ in 0..<3 { ids.append(try await bench.app.send("interop.add", Arguments([2, 3])).id) }
            let later = try await bench.app.send("interop.add", Arguments([2, 3]), in: .seconds(600)).id
            #expect(try await bench.chard("why", ids[2], "--json").json["cause"] == "unserved")
            let worker = try await bench.worker("-Q", "other")
            _ = try await bench.chard("queues", "pause", "celery")
            let why = try await bench.chard("why", ids[2])
            #expect(why.output.contains("paused") && why.output.contains("queues resume celery"), "\(why)")
            #expect(try await bench.chard("why", later, "--json").json["cause"] == "delayed")
            #expect(try await bench.chard("why", "nobody").status == 1)
            let waits = try await bench.chard("result", ids[2])
            #expect(waits.status == 1 && waits.talk.contains("waits in celery, behind 2 others"), "\(waits)")
            #expect(try await bench.chard("result", later).talk.contains("waits for its time"))
            #expect(try await bench.chard("result", "nobody").talk.contains("never sent"))
            let page = try await bench.chard("queues", "show", "celery", "--from", "1", "--limit", "1", "--json")
            #expect(page.lines.count == 1, "\(page)")
            #expect(try page.json["id"] == .string(ids[1]) && page.json["place"] == 1)
            #expect(try page.json["args"] == "(2, 3)")
            #expect(try await bench.chard("queues", "show", "celery", "--leased", "--json").lines.isEmpty)
            try await bench.stop(worker)
        }
    }

    @Test("a worker that was killed with a task is in the task's history; --follow shows what ends")
    func loss() async throws {
        try await ProcessBench.with { bench in
            let follow = try bench.start("chard", ["list", "--follow", "--json"])
            let victim = try await bench.worker("-c", "1", "-n", "victim")
            let task = try await bench.app.send("interop.mark_sleep", Arguments(["history", 9]))
            _ = try await bench.marks("history", count: 1)
            try await eventually("it is seen to run") {
                try await bench.chard("show", task.id, "--json").json["now"]?["state"] == "running"
            }
            #expect(try await bench.chard("why", task.id).output.contains("it runs on victim"))
            victim.signal(SIGKILL)
            let next = try await bench.worker("-c", "1", "-n", "next")
            _ = try await task.value(timeout: .seconds(40))
            try await eventually("both attempts are remembered") {
                let attempts = try await bench.chard("show", task.id, "--json").json["attempts"]?.array ?? []
                return attempts.map { $0["end"] } == ["LOST", "SUCCESS"]
                    && attempts.map { $0["node"] } == ["victim", "next"]
            }
            try await eventually("both are followed") { follow.output.split(separator: "\n").count == 2 }
            follow.signal(SIGTERM)
            try await bench.stop(next, done: 1)
        }
    }

    @Test("no history where none is wanted, and a worker without the right to one goes on")
    func none() async throws {
        try await ProcessBench.with { bench in
            let silent = try Program(
                "interop", ["worker", "-c", "1"],
                environment: ["CHARD_BROKER_URL": bench.server.url, "CHARD_HISTORY_HOURS": "0"])
            try await silent.says("is ready")
            let task = try await bench.app.send("interop.add", Arguments([2, 3]))
            #expect(try await task.value(timeout: .seconds(20)) == 5)
            try await bench.stop(silent, done: 1)
            #expect(try await bench.keys("chard:{history}*").isEmpty)
            _ = try await bench.redis(RedisCommand("SET", "chard:{history}:segments", "nonsense"))
            let worker = try await bench.worker("-c", "1")
            #expect(
                try await bench.app.send("interop.add", Arguments([2, 3])).value(timeout: .seconds(20)) == 5)
            try await worker.says("the history of tasks is not written")
            try await bench.stop(worker, done: 1)
        }
    }
}
