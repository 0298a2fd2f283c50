// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

/// A task whose end the server refuses comes to another one, and does not run again.
@Suite("Ends that a Redis server refuses", .atOnce(4), .timeLimit(.minutes(3)))
struct NotStoredTests {
    /// What has run, by name.
    final class Runs: Sendable {
        private let counts = Mutex<[String: Int]>([:])

        func add(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }

        subscript(name: String) -> Int { counts.withLock { $0[name] ?? 0 } }
    }

    private func acl(_ rules: [String], _ bench: BrokerBench) async throws {
        #expect(try await bench.server.cli(["ACL", "SETUSER", "default"] + rules).hasPrefix("OK"))
    }

    @Test("a result that is larger than the server takes is a failure with the reason, and the neighbours succeed")
    func tooLarge() async throws {
        try await RedisServer.with(RedisServer.Configuration(lines: ["proto-max-bulk-len 1mb"])) { server in
            let bench = BrokerBench(server: server)
            let app = try bench.app()
            let runs = Runs()
            let text = app.task("text") { (count: Int) in
                runs.add("\(count)")
                return String(repeating: "x", count: count)
            }
            try await bench.working(app) { _ in
                let large = try await text.enqueue(2_000_000)
                let small = try await text.enqueue(20)
                #expect(try await small.value(timeout: .seconds(10)).count == 20)
                let error = try #require(
                    await #expect(throws: TaskError.self) { try await large.value(timeout: .seconds(10)) })
                #expect(error.type == "ResultNotStored" && error.message.contains("bytes"), "\(error)")
                let another = try await text.enqueue(30)
                #expect(try await another.value(timeout: .seconds(10)).count == 30)
                #expect(runs["2000000"] == 1 && runs["20"] == 1)
                #expect(try await bench.server.cli("EXISTS", "celery") == "0")
            }
        }
    }

    @Test("a result that may not be written becomes a dead letter with the reason, after one run; then all goes on")
    func noRight() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Runs()
            let note = app.task("note") { (name: String) in runs.add(name) }
            try await bench.working(app) { _ in
                try await acl(
                    ["resetkeys", "~chard:*", "~celery", "~celery?[369]", "~celery??[369]", "~_kombu*"], bench)
                let refused = try await note.enqueue("a")
                try await eventually("it is a dead letter", within: .seconds(20)) {
                    try await app.operator.deadLetters.list().map(\.taskID) == [refused.id]
                }
                let letter = try #require(try await app.operator.deadLetters.find(refused.id))
                #expect(letter.reason == .resultNotStored && letter.error.contains("NOPERM"), "\(letter.error)")
                try await acl(["allkeys"], bench)
                _ = try await note.enqueue("b").value(timeout: .seconds(10))
                #expect(runs["a"] == 1 && runs["b"] == 1)
            }
        }
    }

    @Test("rights that are given back in time cost nothing")
    func mended() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Runs()
            let note = app.task("note") { (name: String) in
                runs.add(name)
                return name
            }
            try await bench.working(app) { _ in
                try await acl(["resetchannels"], bench)
                let id = try await app.send("note", Arguments(["a"])).id
                try await eventually("it has run") { runs["a"] == 1 }
                try await acl(["allchannels"], bench)
                let result = note.result(of: id)
                #expect(try await result.value(timeout: .seconds(10)) == "a")
                #expect(runs["a"] == 1)
            }
        }
    }

    @Test("what is in the way of a retry is put aside, and the retry kept")
    func wrongType() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Runs()
            let fails = app.task("fails", options: TaskOptions(retry: .constant(maxRetries: 3, delay: .seconds(60)))) {
                (name: String) in
                runs.add(name)
                throw TaskError("ValueError", "no")
            }
            try await bench.working(app) { _ in
                _ = try await bench.server.cli("SET", "chard:{celery}:delayed", "no sorted set")
                let result = try await fails.enqueue("a")
                let broker = try bench.broker()
                try await eventually("it is to be tried again") {
                    let status = try await result.status()
                    let queue = try await broker.queues().first { $0.queue == "celery" }
                    return status.state == .retry && queue?.delayed == 1 && queue?.leased == 0
                }
                let aside = try await app.operator.aside.list()
                #expect(aside.map(\.place) == ["chard:{celery}:delayed"])
                #expect(runs["a"] == 1)
            }
        }
    }

    @Test("a claim that is refused for want of a right is tried again: what runs goes on, what waits runs later")
    func claimRefused() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Runs()
            let long = app.task("long") { (name: String) in
                runs.add(name)
                try await eventually("it may end") { runs["end"] == 1 }
                return name
            }
            let quick = app.task("quick") { (name: String) in runs.add(name) }
            try await bench.working(app) { _ in
                let first = try await long.enqueue("a")
                try await eventually("it runs, and a pop waits for the next") {
                    let clients = try await bench.server.cli("CLIENT", "LIST").split(separator: "\n")
                    return runs["a"] == 1 && clients.contains { $0.contains("cmd=blmove") && $0.contains("flags=b") }
                }
                try await acl(["-lmove", "-blmove"], bench)
                // May be brought by a pop that waits already: up to Redis 7.0; later servers refuse that as well. The claim after it
                // is refused by all.
                let next = try await quick.enqueue("b")
                if RedisServer.isUsual { try await next.value(timeout: .seconds(20)) }
                let last = try await quick.enqueue("c")
                try await Task.sleep(for: .seconds(2))
                #expect(runs["c"] == 0)
                try await acl(["+lmove", "+blmove"], bench)
                try await next.value(timeout: .seconds(20))
                try await last.value(timeout: .seconds(20))
                runs.add("end")
                let name = try await first.value(timeout: .seconds(20))
                #expect(name == "a")
                #expect(runs["a"] == 1 && runs["b"] == 1 && runs["c"] == 1)
            }
        }
    }

    @Test("with results on another server, which does not take one: a failure there, or else a dead letter here")
    func elsewhere() async throws {
        try await BrokerBench.with { bench in
            try await RedisServer.with(RedisServer.Configuration(lines: ["proto-max-bulk-len 1mb"])) { server in
                let results = RedisBroker(try RedisURL(server.url))
                let app = Chard("test", broker: try bench.broker(), results: results)
                let runs = Runs()
                let text = app.task("text") { (count: Int) in
                    runs.add("\(count)")
                    return String(repeating: "x", count: count)
                }
                try await bench.working(app) { _ in
                    let large = try await text.enqueue(2_000_000)
                    let error = try #require(
                        await #expect(throws: TaskError.self) { try await large.value(timeout: .seconds(20)) })
                    #expect(error.type == "ResultNotStored", "\(error)")
                    #expect(try await text.enqueue(30).value(timeout: .seconds(10)).count == 30)
                    _ = try await server.cli("ACL", "SETUSER", "default", "resetkeys", "~nothing")
                    let refused = try await text.enqueue(40)
                    try await eventually("it is a dead letter", within: .seconds(20)) {
                        try await app.operator.deadLetters.find(refused.id)?.reason == .resultNotStored
                    }
                    #expect(runs["2000000"] == 1 && runs["40"] == 1)
                }
                await results.shutdown()
            }
        }
    }
}
