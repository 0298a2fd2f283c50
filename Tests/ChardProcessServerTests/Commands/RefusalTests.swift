// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import TestServers
import Testing

@Suite("What goes wrong at once: one clear line, and its exit status", .timeLimit(.minutes(2)))
struct RefusalTests {
    static let secret = "s3cret-Pa55"

    @Test(
        "wrong usage: 2",
        arguments: [
            ["--nonsense"], ["nonsense"], ["send"], ["send", "t", "--nonsense"], ["send", "t", "--args", "{}"],
            ["send", "t", "--args", "[1,"], ["send", "t", "--kwargs", "[]"], ["send", "t", "--priority", "10"],
            ["send", "t", "--priority", "high"], ["send", "t", "--eta", "tomorrow"], ["send", "t", "--expires", "-1"],
            ["send", "t", "--countdown", "1", "--eta", "2030-01-01"], ["send", "t", "--header", "x"],
            ["send", "t", "--wait=x"], ["result"], ["result", "a", "b"], ["queues", "--nonsense"], ["purge"],
            ["dead", "show"], ["dead", "requeue"], ["dead", "requeue", "x", "--all"], ["dead", "drop"],
            ["dead", "list", "--limit", "0"], ["worker"], ["tasks"], ["queues", "-l", "loud"],
            ["queues", "--config", "/no/such/file"], ["queues", "pause", ""], ["purge", "", "--yes"],
            ["send", ""], ["send", "t", "--args", "[NaN]"], ["send", "t", "--kwargs", #"{"x": 1e400}"#],
            ["send", "t", "--header", "id=mine"], ["send", "t", "--countdown", "-1"], ["revoke", ""], ["result", ""],
            ["bench", "enqueue", "--callers", "9223372036854775807"],
            ["bench", "eta", "--count", "9223372036854775807"],
        ])
    func misuse(words: [String]) async throws {
        let run = try await CommandRun(
            Program("chard", words, environment: ["CHARD_BROKER_URL": "redis://127.0.0.1:1/0"]))
        #expect(run.status == 2 && run.isOneLine, "\(words): \(run)")
    }

    @Test(
        "a wrong URL: 2, and nothing of it is repeated that may be a password",
        arguments: [
            "redis://", "redis://:\(secret)@/0", "redis://:\(secret)@h:99999/0", "redis://:\(secret)@h:port/0",
            "redis://:\(secret)@h/zero", "redis://:\(secret)@h/-1", "redis://:\(secret)@[::1/0", "localhost:6379",
            "redis://h:6379/0?ssl=\(secret)", "redis://:\(secret)/x@h/0", "redis://:\(secret)#x@h/0",
            "amqp://u:\(secret)@h//", "http://h/", "\(secret)", "", "redis+unix://", "redis+unix://host/path",
            "rediss://h/0?ssl_cert_reqs=perhaps", "sqlite://x.db", "sqlite:///", "memory://",
            "redis://:%zz\(secret)@h/0",
        ])
    func wrongURL(url: String) async throws {
        for words in [["queues", "--broker", url], ["send", "t", "--broker=\(url)"]] {
            let run = try await CommandRun(Program("chard", words))
            #expect(run.status == 2 && run.isOneLine, "\(url): \(run)")
            #expect(!run.talk.contains(Self.secret), "\(run)")
        }
    }

    @Test("bytes that are not UTF-8 are not made into others: 2, and nothing is sent")
    func brokenArgument() async throws {
        try await ProcessBench.with { bench in
            let line = #"exec "$0" send interop.echo --args "$(printf '["caf\351"]')""#
            let run = try await CommandRun(bench.start("/bin/sh", ["-c", line, Program.path(of: "chard")]))
            #expect(run.status == 2 && run.talk.hasPrefix("chard: argument 4 is not UTF-8"), "\(run)")
            #expect(try await bench.chard("queues", "--json").json == [])
        }
    }

    @Test("a task that was sent is no failure, though nobody can be told its id")
    func closedOutput() async throws {
        try await ProcessBench.with { bench in
            for end in [">&-", "> /dev/full"] {
                let line = #"exec "$0" send interop.echo --id "known" "# + end
                let run = try await CommandRun(bench.start("/bin/sh", ["-c", line, Program.path(of: "chard")]))
                #expect(run.status == 0 && run.output.isEmpty && run.talk.contains("known"), "\(end): \(run)")
            }
            #expect(try await bench.chard("queues", "--json").json[0]?["waiting"] == 2)
        }
    }

    @Test("a wrong URL for a worker: 2, before anything else is said")
    func workerWithWrongURL() async throws {
        for url in ["redis://:\(Self.secret)@h:port/0", "amqp://u:\(Self.secret)@h//", Self.secret] {
            let run = try await CommandRun(Program("interop", ["worker"], environment: ["CHARD_BROKER_URL": url]))
            #expect(run.status == 2 && run.isOneLine, "\(url): \(run)")
            #expect(!run.talk.contains(Self.secret), "\(run)")
        }
    }

    @Test(
        "a worker with options that make no sense: 2, before anything else is said",
        arguments: [
            ["-c", "0"], ["-c", "-1"], ["-c", "many"], ["-Q", ""], ["-Q", ","], ["--processes", "0"],
            ["--max-tasks-per-child", "0"], ["--max-memory-per-child", "-5"], ["--grace", "-1"],
            ["--processes", "2", "--drain"], ["--processes", "9223372036854775807"], ["-c", "1000000"], ["-n", ""],
        ])
    func senseless(words: [String]) async throws {
        let run = try await CommandRun(
            Program("interop", ["worker"] + words, environment: ["CHARD_BROKER_URL": "redis://127.0.0.1:1/0"]))
        #expect(run.status == 2 && run.isOneLine, "\(words): \(run)")
    }

    @Test("a setting below its least value: 2, and its place is named")
    func setting() async throws {
        let run = try await CommandRun(
            Program(
                "interop", ["worker"],
                environment: ["CHARD_BROKER_URL": "redis://127.0.0.1:1/0", "CHARD_WORKER_PROCESSES": "0"]))
        #expect(run.status == 2 && run.isOneLine && run.talk.contains("CHARD_WORKER_PROCESSES is 0"), "\(run)")
    }

    @Test(
        "a time that is none for dead letters: 2, and its place is named",
        arguments: ["nan", "inf", "1e300", "-1", "0"])
    func letterTime(days: String) async throws {
        let run = try await CommandRun(
            Program(
                "chard", ["queues"],
                environment: ["CHARD_BROKER_URL": "redis://127.0.0.1:1/0", "CHARD_DEAD_LETTER_DAYS": days]))
        #expect(run.status == 2 && run.isOneLine && run.talk.contains("CHARD_DEAD_LETTER_DAYS is"), "\(run)")
    }

    @Test(
        "a wrong password, and none where one is wanted: 4, and it is not shown", arguments: ["wrong-\(secret)", nil])
    func password(password: String?) async throws {
        let configuration = RedisServer.Configuration(password: "right-\(Self.secret)")
        try await ProcessBench.with(configuration) { bench in
            let url = "redis://\(password.map { ":\($0)@" } ?? "")127.0.0.1:\(bench.server.port)/0"
            try await refused(url, contains: password == nil ? "NOAUTH" : "WRONGPASS")
            let good = try await bench.chard("queues", "--json")
            #expect(good.status == 0 && !good.talk.contains(Self.secret), "\(good)")
            // What works shows no password either.
            let worker = try await bench.worker()
            #expect(!worker.talk.contains(Self.secret))
            try await bench.stop(worker)
        }
    }

    @Test("a user who may not: 4")
    func permissions() async throws {
        let lines = ["user little on >\(Self.secret) ~* &* -@all +ping +hello +auth +client"]
        try await RedisServer.with(RedisServer.Configuration(lines: lines)) { server in
            try await refused("redis://little:\(Self.secret)@127.0.0.1:\(server.port)/0", contains: "NOPERM")
        }
    }

    @Test("something that is not Redis on the port: 4", arguments: StrangePort.Manner.allCases)
    func strangers(manner: StrangePort.Manner) async throws {
        let port = try StrangePort(manner)
        try await refused("redis://:\(Self.secret)@127.0.0.1:\(port.port)/0", contains: "127.0.0.1:\(port.port)")
        try await refused("rediss://:\(Self.secret)@127.0.0.1:\(port.port)/0", contains: "127.0.0.1:\(port.port)")
    }

    @Test("nothing on the port, no such host, no such socket: 4")
    func nobody() async throws {
        let port = try FreePort.find()
        try await refused("redis://:\(Self.secret)@127.0.0.1:\(port)/0", contains: "127.0.0.1:\(port)")
        try await refused("redis://:\(Self.secret)@no-such-host.invalid:6379/0", contains: "no-such-host.invalid")
        try await refused("redis+unix:///no/such/redis.sock", contains: "/no/such/redis.sock")
    }

    /// All commands that need the server must end with 4 and one line, in time.
    private func refused(_ url: String, contains text: String) async throws {
        let commands = [
            ("chard", ["queues"]), ("chard", ["send", "t", "--wait", "5", "--json"]), ("chard", ["result", "x"]),
            ("interop", ["worker", "--startup-wait", "0"]),
        ]
        let programs = try commands.map { try Program($0.0, $0.1, environment: ["CHARD_BROKER_URL": url]) }
        for (command, program) in zip(commands, programs) {
            let run = try await CommandRun(program, within: .seconds(30))
            // A worker's banner comes first.
            let isOneLine = command.0 == "interop" ? run.output.isEmpty : run.isOneLine
            let last = run.talk.split(separator: "\n").last ?? ""
            #expect(run.status == 4 && isOneLine, "\(command) \(url): \(run)")
            #expect(last.hasPrefix("\(command.0): ") && last.contains(text), "\(command) \(url): \(run)")
            #expect(!run.talk.contains(Self.secret), "\(run)")
        }
    }
}
