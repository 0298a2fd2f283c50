// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

/// The users of `docs/redis.md`, each doing what its role does: the server's log of what it has denied stays empty.
@Suite("Users with the least rights", .timeLimit(.minutes(3)))
struct RolesTests {
    /// The rules of each role, as the guide has them.
    static let roles: [String: [String]] = {
        let guide = URL(filePath: #filePath).appending(path: "../../../docs/redis.md").standardized
        let lines = (try? String(contentsOf: guide, encoding: .utf8))?.split(separator: "\n") ?? []
        return Dictionary(
            uniqueKeysWithValues: lines.filter { $0.hasPrefix("ACL SETUSER ") }.map { line in
                let words = line.split(separator: " ").map(String.init)
                return (words[2], words[3...].map { $0 == ">PASSWORD" ? ">pw" : $0 })
            })
    }()

    /// A server with all roles.
    private func with(_ body: (ProcessBench) async throws -> Void) async throws {
        try await ProcessBench.with { bench in
            for (name, rules) in Self.roles {
                #expect(try await bench.server.cli(["ACL", "SETUSER", name] + rules).hasPrefix("OK"), "\(name)")
            }
            try await body(bench)
        }
    }

    private func start(_ program: String, as role: String, _ words: [String], _ bench: ProcessBench) throws -> Program {
        try Program(
            program, words,
            environment: ["CHARD_BROKER_URL": "redis://\(role):pw@127.0.0.1:\(bench.server.port)/0"])
    }

    private func run(
        _ program: String = "chard", as role: String, _ words: String..., bench: ProcessBench
    ) async throws -> CommandRun {
        try await CommandRun(start(program, as: role, words, bench))
    }

    /// A command that must be done.
    @discardableResult
    private func done(as role: String, _ words: String..., bench: ProcessBench) async throws -> CommandRun {
        let run = try await CommandRun(start("chard", as: role, words, bench))
        #expect(run.status == 0, "\(role) \(words): \(run)")
        return run
    }

    /// Nothing was denied since the last look.
    private func nothingDenied(_ role: String, _ bench: ProcessBench) async throws {
        let log = try await bench.server.cli("ACL", "LOG")
        #expect(log.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty, "\(role): \(log)")
        _ = try await bench.server.cli("ACL", "LOG", "RESET")
    }

    @Test("the guide has all roles, and gives a worker what it tries at its start")
    func guide() throws {
        #expect(Self.roles.keys.sorted() == ["beat", "caller", "operator", "producer", "reader", "worker"])
        let granted = try #require(Self.roles["worker"]).filter { $0.hasPrefix("+") }.map { String($0.dropFirst()) }
        // A history is written where that is allowed: incrby counts it.
        let beside: Set = ["ping", "select", "client|id", "client|setname", "info", "incrby"]
        #expect(granted.filter { !beside.contains($0) }.sorted() == WorkerRights.commandNames)
    }

    @Test("a worker does everything, and its callers and producers what is theirs")
    func working() async throws {
        try await with { bench in
            let worker = try start("interop", as: "worker", ["worker", "-c", "2", "-n", "roles"], bench)
            try await worker.says("is ready")
            let sum = try await done(
                as: "caller", "send", "interop.add", "--args", "[1,2]", "--wait", "10", bench: bench)
            #expect(sum.output.contains("3"))
            let soon = try await done(
                as: "caller", "send", "interop.add", "--args", "[2,2]", "--countdown", "1", "--wait", "20", bench: bench
            )
            #expect(soon.output.contains("4"))
            try await done(as: "producer", "send", "interop.add", "--args", "[1,2]", "--priority", "9", bench: bench)
            try await done(as: "producer", "send", "interop.add", "--countdown", "3600", "--id", "later", bench: bench)
            for task in ["interop.nobody_knows", "interop.reject"] {
                try await done(as: "producer", "send", task, bench: bench)
            }
            try await done(
                as: "caller", "send", "interop.retry_then_ok", "--id", "retried", "--wait", "10", bench: bench)
            try await done(as: "caller", "send", "interop.progress", "--wait", "10", bench: bench)
            try await eventually("the letters are there") {
                try await bench.broker.deadLetters(in: nil, limit: 9).count >= 2
            }
            try await nothingDenied("worker, caller and producer", bench)

            let operated = [
                ["queues"], ["workers"], ["scheduled"], ["scheduled", "run", "later"], ["dead", "list"],
                ["queues", "pause", "celery"], ["queues", "resume", "celery"], ["revoke", "some-id"],
                ["dead", "requeue", "--all"], ["beat", "add", "tick", "--task", "interop.add", "--every", "3600"],
                ["beat", "pause", "tick"], ["beat", "resume", "tick"], ["beat", "--list"], ["beat", "run", "tick"],
                ["beat", "remove", "tick"], ["result", "retried"], ["show", "retried"],
                ["list"], ["why", "retried"], ["queues", "show", "celery"], ["aside", "list"],
                ["purge", "celery", "--yes", "--scheduled"],
            ]
            for words in operated {
                let run = try await CommandRun(start("chard", as: "operator", words, bench))
                #expect(run.status == 0, "operator \(words): \(run)")
            }
            try await nothingDenied("operator", bench)

            let looked = [
                ["queues"], ["workers"], ["scheduled"], ["dead", "list"], ["beat", "--list"], ["list"], ["aside"],
                ["show", "retried"],
            ]
            for words in looked {
                let run = try await CommandRun(start("chard", as: "reader", words, bench))
                #expect(run.status == 0, "reader \(words): \(run)")
            }
            let doctor = try await run(as: "reader", "doctor", bench: bench)
            #expect(doctor.status == 0 && doctor.output.contains("version: "), "\(doctor)")

            // What is in the way is put aside by the worker, listed by the reader and dropped by the operator.
            _ = try await bench.server.cli("ACL", "LOG", "RESET")
            _ = try await bench.redis(RedisCommand("SET", "celery\u{06}\u{16}6", "a text"))
            try await eventually("it is put aside", within: .seconds(30)) {
                try await bench.app.operator.aside.list().count == 1
            }
            let name = try #require(try await bench.app.operator.aside.list().first?.name)
            let shown = try await done(as: "reader", "aside", "--json", bench: bench)
            #expect(try shown.json.array?.first?["size"] == 6 && shown.json.array?.first?["kind"] == "string")
            try await done(as: "operator", "aside", "restore", name, bench: bench)
            try await eventually("it is put aside again", within: .seconds(30)) {
                try await bench.app.operator.aside.list().contains { $0.name != name }
            }
            let again = try #require(try await bench.app.operator.aside.list().first?.name)
            try await done(as: "operator", "aside", "drop", again, bench: bench)
            try await nothingDenied("reader and operator", bench)

            // A worker that is killed leaves what it held to another one.
            try await done(
                as: "producer", "send", "interop.sleepy", "--args", "[30]", "--id", "lost", bench: bench)
            try await eventually("it runs") {
                try await bench.redis(RedisCommand("LLEN", "celery")).integer == 0
            }
            _ = try await bench.server.cli("ACL", "LOG", "RESET")
            worker.signal(SIGKILL)
            _ = try await worker.finished()
            let heir = try start("interop", as: "worker", ["worker", "-c", "2", "-n", "heir"], bench)
            try await heir.says("is ready")
            try await eventually("it is held again", within: .seconds(30)) {
                try await !bench.keys("chard:{celery}:leased:0:heir*").isEmpty
            }
            heir.signal(SIGQUIT)
            #expect(try await heir.finished() == 0, "\(heir.talk)")
            #expect(!heir.talk.contains("NOPERM") && !worker.talk.contains("NOPERM"), "\(heir.talk)")
            try await nothingDenied("heir", bench)
        }
    }

    @Test("a beat keeps the operator's schedules, with calls that must not overlap")
    func beating() async throws {
        try await with { bench in
            let beat = try start("interop", as: "beat", ["beat"], bench)
            try await beat.says("is ready")
            for overlap in ["allow", "skip"] {
                try await done(
                    as: "operator", "beat", "add", overlap, "--task", "interop.add", "--every", "1", "--overlap",
                    overlap,
                    bench: bench)
            }
            try await eventually("ticks are sent", within: .seconds(20)) {
                try await bench.redis(RedisCommand("LLEN", "celery")).integer ?? 0 >= 4
            }
            beat.signal(SIGTERM)
            #expect(try await beat.finished() == 0, "\(beat.talk)")
            try await nothingDenied("beat and operator", bench)
        }
    }

    @Test("a right that a worker lacks ends it at its start, in one line with the rule to add")
    func missing() async throws {
        try await with { bench in
            for (loss, rule) in [
                ("-publish", "+publish"), ("-lrem", "+lrem"), ("-subscribe", "+subscribe"),
                ("resetchannels", "&chard:*"),
                ("-blmove", "+blmove"),
            ] {
                let rules = try #require(Self.roles["worker"])
                _ = try await bench.server.cli(["ACL", "SETUSER", "w", "reset"] + rules + [loss])
                let refused = try await run("interop", as: "w", "worker", bench: bench)
                let last = refused.talk.split(separator: "\n").last ?? ""
                #expect(
                    refused.status == 4 && last.contains("ACL SETUSER USER ") && last.contains(rule),
                    "\(loss): \(refused)")
                _ = try await bench.server.cli("ACL", "SETUSER", "w", "+multi")
                let shown = try await run(as: "w", "doctor", bench: bench)
                #expect(shown.output.contains(rule), "\(loss): \(shown)")
            }
            let keys = ["~celery", "~celery??[369]", "~_kombu.binding*", "~chard:*"]
            let rules = try #require(Self.roles["worker"]).filter { !$0.hasPrefix("~") } + keys
            _ = try await bench.server.cli(["ACL", "SETUSER", "w", "reset"] + rules)
            let refused = try await run("interop", as: "w", "worker", bench: bench)
            #expect(refused.status == 4 && refused.talk.contains("~celery-task-meta-*"), "\(refused)")
            #expect(try await bench.keys("chard:h*") == [], "no holder is left behind")
        }
    }
}
