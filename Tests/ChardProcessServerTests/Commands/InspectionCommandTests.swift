// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("queues, workers, dead, purge and tasks, as processes on a real server", .timeLimit(.minutes(2)))
struct InspectionCommandTests {
    @Test("queues, and purge")
    func queues() async throws {
        try await ProcessBench.with { bench in
            let none = try await bench.chard("queues")
            #expect(none.status == 0 && none.output.isEmpty && !none.talk.isEmpty, "\(none)")
            #expect(try await bench.chard("queues", "--json").json == [])

            for _ in 0..<3 { try await bench.app.send("interop.add", Arguments([1, 2])) }
            try await bench.app.send("interop.add", options: EnqueueOptions(queue: "math", countdown: .seconds(600)))
            let listed = try await bench.chard("queues")
            #expect(listed.status == 0 && listed.lines.count == 3, "\(listed)")
            let all = try await bench.chard("queues", "--json").json.array ?? []
            #expect(all.map { $0["queue"] } == ["celery", "math"])
            #expect(all.map { $0["waiting"] } == [3, 0])
            #expect(all.map { $0["scheduled"] } == [0, 1])
            #expect(all.map { $0["leased"] } == [0, 0])
            #expect(all.map { $0["dead"] } == [0, 0])
            #expect(all.map { $0["served"] } == [false, false])
            #expect(listed.lines[1].hasSuffix("nobody serves it"), "\(listed)")
            let worker = try await bench.worker("-Q", "math")
            _ = try await bench.chard("queues", "pause", "math")
            let served = try await bench.chard("queues")
            #expect(served.lines[1].hasSuffix("nobody serves it") && served.lines[2].hasSuffix("paused"), "\(served)")
            _ = try await bench.chard("queues", "resume", "math")
            try await bench.stop(worker)

            let unsure = try await bench.chard("purge", "celery")
            #expect(unsure.status == 2 && unsure.isOneLine, "\(unsure)")
            let purged = try await bench.chard("purge", "celery", "--yes", "--json")
            #expect(purged.status == 0, "\(purged)")
            #expect(try purged.json["deleted"] == 3)
            let again = try await bench.chard("queues", "purge", "celery", "--yes")
            #expect(again.status == 0 && again.output.hasPrefix("0 messages"), "\(again)")
            #expect(try await bench.chard("purge", "math", "--yes", "--json").json["deleted"] == 0)
            #expect(try await bench.chard("purge", "math", "--scheduled", "--yes", "--json").json["deleted"] == 1)
        }
    }

    @Test(
        "scheduled says what is overdue, send --wait that nobody will move it, and beat --list that no beat is running")
    func nobody() async throws {
        try await ProcessBench.with { bench in
            let sent = try await bench.chard("send", "interop.add", "-Q", "q", "--countdown", "0.1", "--wait", "0.3")
            #expect(sent.status == 3 && sent.talk.contains("no worker of Chard serves q now"), "\(sent)")
            try await eventually("it is overdue", within: .seconds(20)) {
                try await bench.chard("scheduled").output.contains(" overdue")
            }
            _ = try await bench.chard("beat", "add", "often", "--every", "1", "--task", "interop.add")
            let listed = try await bench.chard("beat", "--list")
            #expect(listed.status == 0 && listed.talk.contains("no beat is running"), "\(listed)")
            let worker = try await bench.worker("-Q", "q", "--beat")
            try await eventually("the beat is known") {
                try await bench.chard("beat", "--list").talk.isEmpty
            }
            let again = try await bench.chard("send", "interop.add", "-Q", "q", "--countdown", "0.1", "--wait", "9")
            #expect(!again.talk.contains("serves q"), "\(again)")
            try await bench.stop(worker)
        }
    }

    @Test("worker --json says in documents when it is ready and when it has stopped; so does beat")
    func events() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("--json", "-n", "one")
            worker.signal(15)
            let run = try await CommandRun(worker)
            let events = try run.lines.map { try JSON(parsing: String($0)) }
            #expect(events.compactMap { $0["event"]?.string } == ["ready", "stopped"], "\(run)")
            #expect(events.allSatisfy { $0["node"] == "one" } && events[0]["queues"] == ["celery"], "\(run)")
            let beat = try bench.start("interop", ["beat", "--json"])
            try await beat.says("is ready")
            beat.signal(15)
            let beats = try await CommandRun(beat)
            #expect(try beats.lines.map { try JSON(parsing: String($0))["event"] } == ["ready", "stopped"], "\(beats)")
        }
    }

    @Test("a queue whose key is no list is named, and the others are shown")
    func noList() async throws {
        try await ProcessBench.with { bench in
            _ = try await bench.redis(RedisCommand("SET", "bad", "a string"))
            #expect(try await bench.chard("send", "t", "-Q", "bad").status == 1)
            try await bench.app.send("interop.add", Arguments([1, 2]))
            let listed = try await bench.chard("queues")
            #expect(listed.status == 0 && listed.lines.count == 3, "\(listed)")
            #expect(listed.talk.contains("bad cannot be used") && listed.talk.contains("WRONGTYPE"), "\(listed)")
            let all = try await bench.chard("queues", "--json").json.array ?? []
            #expect(all.map { $0["queue"] } == ["bad", "celery"])
            #expect(all[0]["trouble"]?.string != nil && all[1]["trouble"] == .null)
        }
    }

    @Test("a server that takes no writes since its disk is full: what only looks still answers, and doctor says so")
    func fullDisk() async throws {
        try await ProcessBench.with(.init(lines: ["save 3600 1000000", "enable-protected-configs yes"])) { bench in
            try await bench.app.send("interop.add", Arguments([1, 2]))
            try await bench.app.send("interop.add", Arguments([1, 2]), options: .init(countdown: .seconds(600)))
            let directory = FileManager.default.temporaryDirectory.appendingPathComponent("gone-\(UUID())").path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            #expect(try await bench.server.cli("CONFIG", "SET", "dir", directory).hasPrefix("OK"))
            try FileManager.default.removeItem(atPath: directory)
            _ = try await bench.server.cli("BGSAVE")
            try await eventually("it takes no writes") { try await bench.server.cli("PING").contains("MISCONF") }
            for words in [
                ["queues"], ["scheduled"], ["dead", "list"], ["workers"], ["list"], ["aside"], ["beat", "--list"],
            ] {
                let run = try await CommandRun(bench.start("chard", words))
                #expect(run.status == 0, "\(words): \(run)")
            }
            let doctor = try await bench.chard("doctor")
            #expect(doctor.status == 1 && doctor.output.contains("DANGER   persistence"), "\(doctor)")
            let sent = try await bench.chard("send", "interop.add", "--args", "[1,2]")
            #expect(sent.status == 4 && sent.talk.contains("MISCONF"), "\(sent)")
            _ = try await bench.server.cli("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
            let worker = try await bench.worker("-c", "1")
            try await eventually("its task has run") { try await bench.isQuiet() }
            try await bench.stop(worker, done: 1)
        }
    }

    @Test("a bench that is interrupted leaves nothing behind")
    func interruptedBench() async throws {
        try await ProcessBench.with { bench in
            let program = try bench.start("chard", ["bench", "enqueue", "--count", "100000000", "--bulk"])
            try await eventually("it is sending") { try await !bench.keys("chard-bench-*").isEmpty }
            program.signal(2)
            let run = try await CommandRun(program)
            #expect(run.status == 1 && run.talk.contains("interrupted"), "\(run)")
            #expect(try await bench.keys("*chard-bench-*").isEmpty)
            #expect(try await bench.chard("queues", "--json").json == [])
        }
    }

    @Test("what strict JSON cannot write is null with --json")
    func notFinite() async throws {
        try await ProcessBench.with { bench in
            let status = #"{"status": "SUCCESS", "result": [NaN, 1.0], "traceback": null, "task_id": "t"}"#
            _ = try await bench.redis(RedisCommand("SET", "celery-task-meta-t", status))
            let shown = try await bench.chard("result", "t", "--json")
            #expect(shown.status == 0 && shown.output.contains("[null,1.0]"), "\(shown)")
            _ = try await bench.redis(RedisCommand("SET", "celery-task-meta-t", "garbage{"))
            #expect(try await bench.chard("result", "t").status == 1)
        }
    }

    @Test("workers: who is alive, doing what, and nobody once they have stopped")
    func workers() async throws {
        try await ProcessBench.with { bench in
            #expect(try await bench.chard("workers", "--json").json == [])
            let worker = try await bench.worker("-c", "3", "-n", "one", "-Q", "celery,math")
            let task = try await bench.app.send("interop.mark_sleep", Arguments(["busy", 6]))
            _ = try await bench.marks("busy", count: 1)
            try await eventually("the heartbeat shows the run") {
                try await bench.chard("workers", "--json").json[0]?["running"] == 1
            }
            let shown = try #require(try await bench.chard("workers", "--json").json[0])
            #expect(shown["node"] == "one")
            #expect(shown["pid"] == .integer(Int(worker.id)))
            #expect(shown["queues"] == ["celery", "math"])
            #expect(shown["concurrency"] == 3)
            #expect(shown["tasks"]?[0]?["id"] == .string(task.id))
            #expect(shown["tasks"]?[0]?["task"] == "interop.mark_sleep")
            let table = try await bench.chard("workers")
            #expect(table.status == 0 && table.output.contains("one"), "\(table)")
            #expect(table.lines.last?.contains("interop.mark_sleep  \(task.id)") == true, "\(table)")
            try await bench.stop(worker, done: 1)
            #expect(try await bench.chard("workers", "--json").json == [])
            let nobody = try await bench.chard("workers")
            #expect(nobody.status == 0 && nobody.output.isEmpty && !nobody.talk.isEmpty, "\(nobody)")
        }
    }

    @Test("dead: list, show, requeue, drop")
    func dead() async throws {
        try await ProcessBench.with { bench in
            let noise: [UInt8] = [0x1B, 0x5B, 0x33, 0x31, 0x6D, 0xFF]
            let worker = try await bench.worker("-c", "2")
            let unknown = RawMessage("nobody.knows", id: "unknown")
            let wrong = RawMessage("interop.add", [1], id: "wrong")
            _ = try await bench.feed([unknown.payload, wrong.payload, noise], to: worker)

            let list = try #require(try await bench.chard("dead", "list", "--json").json.array)
            #expect(Set(list.compactMap { $0["reason"]?.string }) == ["notRegistered", "badArguments", "malformed"])
            #expect(try await bench.chard("dead", "--limit", "1", "--json").json.array?.count == 1)
            #expect(try await bench.chard("dead", "-Q", "other", "--json").json == [])
            let table = try await bench.chard("dead")
            #expect(table.status == 0 && table.lines.count == 4, "\(table)")

            let shown = try await bench.chard("dead", "show", "unknown", "--json").json
            #expect(shown["payload_text"]?.string.map { Array($0.utf8) } == unknown.payload)
            #expect(shown["error"]?.string?.contains("nobody.knows") == true)
            let nameless = try #require(list.first { $0["reason"] == "malformed" }?["id"]?.string)
            let raw = try await bench.chard("dead", "show", nameless)
            #expect(raw.status == 0 && !raw.output.contains("\u{1B}"), "\(raw)")

            // Requeued, it dies again; dropped, it is gone.
            let again = try await bench.chard("dead", "requeue", "wrong", "--json")
            #expect(again.status == 0, "\(again)")
            #expect(try again.json["requeued"] == ["wrong"])
            try await bench.isThrough(worker)
            #expect(try await bench.broker.deadLetters(in: nil, limit: 10).count == 3)
            let all = try await bench.chard("dead", "requeue", "--all", "-Q", "celery")
            #expect(all.status == 0 && all.output.hasPrefix("3 dead letters requeued"), "\(all)")
            try await bench.isThrough(worker)
            #expect(try await bench.broker.deadLetters(in: nil, limit: 10).count == 3)
            let dropped = try await bench.chard("dead", "drop", "unknown", "no-such-letter")
            #expect(dropped.status == 1 && dropped.talk.contains("no-such-letter"), "\(dropped)")
            for words in [["dead", "show", "unknown"], ["dead", "requeue", "unknown"], ["dead", "drop", "unknown"]] {
                let missing = try await CommandRun(bench.start("chard", words))
                #expect(missing.status == 1 && missing.talk.contains("unknown"), "\(missing)")
            }
            #expect(try await bench.chard("dead", "--json").json.array?.count == 2)
            try await bench.stop(worker)
        }
    }

    @Test("tasks: those of the program, without a server")
    func tasks() async throws {
        let listed = try await CommandRun(Program("interop", ["tasks", "--json"]))
        #expect(listed.status == 0, "\(listed)")
        let tasks = try #require(try listed.json.array)
        #expect(tasks.count == 17)
        let add = try #require(tasks.first { $0["name"] == "interop.add" })
        #expect(add["parameters"]?.array?.count == 2)
        let table = try await CommandRun(Program("interop", ["tasks"]))
        #expect(table.status == 0 && table.lines.count == 18, "\(table)")
        let none = try await CommandRun(Program("chard", ["tasks"]))
        #expect(none.status == 2 && none.isOneLine, "\(none)")
    }
}
