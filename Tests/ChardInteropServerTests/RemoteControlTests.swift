// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import TestTraits
import Testing

/// Two Swift workers and a Python one, seen and changed with Celery's own tools, with Flower, and from Swift.
@Suite("Remote control of a mixed fleet", .atOnce(2), .timeLimit(.minutes(6)))
struct RemoteControlTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Interop").standardizedFileURL.path
    static let nodes = ["one@swift", "py@python", "two@swift"]

    private struct Fleet {
        let server: RedisServer
        let workers: [String: Program]

        func python(_ arguments: String...) throws -> Program {
            try Program(
                Program.python(), arguments,
                environment: [
                    "BROKER_URL": server.url, "PYTHONPATH": RemoteControlTests.folder, "PYTHONDONTWRITEBYTECODE": "1",
                    "FLOWER_UNAUTHENTICATED_API": "true",
                ])
        }

        /// What Celery's command answers, by node.
        func celery(_ arguments: String...) async throws -> JSON {
            let program = try Program(
                Program.python(), ["-m", "celery", "-A", "peer"] + arguments + ["--json"],
                environment: ["BROKER_URL": server.url, "PYTHONPATH": RemoteControlTests.folder])
            try await program.finished()
            let json = try JSON(parsing: Array(program.output.utf8))
            // `control` answers with a list of objects.
            guard let parts = json.array else { return json }
            return .object(parts.reduce(into: [:]) { $0.merge($1.object ?? [:]) { $1 } })
        }
    }

    private func withFleet(_ body: (Fleet) async throws -> Void) async throws {
        try await RedisServer.with { server in
            var workers: [String: Program] = [:]
            for node in Self.nodes where node.hasSuffix("swift") {
                workers[node] = try Program(
                    "interop", ["worker", "-c", "4", "-n", node], environment: ["CHARD_BROKER_URL": server.url])
            }
            workers["py@python"] = try Program(
                Program.python(),
                ["-m", "celery", "-A", "peer", "worker", "-c", "2", "-E", "-l", "INFO", "-n", "py@python"],
                environment: ["BROKER_URL": server.url, "PYTHONPATH": Self.folder])
            for (node, worker) in workers { try await worker.says(node.hasSuffix("swift") ? "is ready" : "ready.") }
            // Celery's worker says so before it listens, and what is said to nobody is lost.
            let fleet = Fleet(server: server, workers: workers)
            try await eventually("all listen to orders", within: .seconds(60)) {
                let answers = try? await fleet.celery("inspect", "-t", "2", "ping")
                return answers?.object?.keys.sorted() == Self.nodes
            }
            try await body(fleet)
            for worker in workers.values { worker.signal(15) }
            for (node, worker) in workers { #expect(try await worker.finished() == 0, "\(node): \(worker.talk)") }
        }
    }

    @Test("celery status, inspect and control reach Swift's workers as they do Python's")
    func celery() async throws {
        try await withFleet { fleet in
            let status = try fleet.python("-m", "celery", "-A", "peer", "status")
            #expect(try await status.finished() == 0)
            for node in Self.nodes { #expect(status.output.contains("\(node): OK"), "\(status.output)") }
            let methods = [
                "ping", "active", "reserved", "scheduled", "revoked", "registered", "stats", "active_queues",
            ]
            for method in methods {
                let answer = try await fleet.celery("inspect", method, "-t", "3")
                #expect(answer.object?.keys.sorted() == Self.nodes, "\(method): \(answer)")
            }
            let registered = try await fleet.celery("inspect", "registered", "-t", "3")
            for node in Self.nodes {
                #expect(registered[node]?.array?.contains { $0.string == "interop.add" } == true, "\(registered)")
            }
            #expect(
                try await fleet.celery("control", "-d", "one@swift", "pool_grow", "3")["one@swift"]
                    == ["ok": "pool will grow"])
            let stats = try await fleet.celery("inspect", "-d", "one@swift", "stats")
            #expect(stats["one@swift"]?["pool"]?["max-concurrency"] == 7)
            let limited = try await fleet.celery("control", "-t", "3", "rate_limit", "interop.add", "10/m")
            for node in Self.nodes { #expect(limited[node] == ["ok": "new rate limit set successfully"], "\(limited)") }
            #expect(
                try await fleet.celery("inspect", "-d", "two@swift", "registered")["two@swift"]?.array?
                    .contains("interop.add [rate_limit=10/m]") == true)
        }
    }

    @Test("celery events --dump shows what Swift's workers do, and celery's reports what they are")
    func dump() async throws {
        try await withFleet { fleet in
            let reports = try await fleet.celery("inspect", "report", "-t", "3")
            #expect(reports.object?.keys.sorted() == Self.nodes, "\(reports)")
            #expect(reports["one@swift"]?["ok"]?.string?.contains("chard") == true, "\(reports)")
            let report = try fleet.python("-m", "celery", "-A", "peer", "report")
            #expect(try await report.finished() == 0, "\(report.talk)")
            let dump = try fleet.python("-m", "celery", "-A", "peer", "events", "--dump")
            defer { dump.signal(SIGKILL) }
            let app = Chard("test", broker: RedisBroker(try RedisURL(fleet.server.url)))
            _ = try await fleet.celery("control", "-t", "3", "enable_events")
            let seen = [
                "one@swift [", "two@swift [", "py@python [", "heartbeat", "task received: interop.add(",
                "task started: interop.add(",
                "task succeeded: interop.add(", "task failed: interop.fail(",
            ]
            try await eventually("the dump has all", within: .seconds(60)) {
                for name in ["interop.add", "interop.fail"] {
                    for _ in 0..<5 {
                        let call = try await app.send(name, Arguments(name == "interop.add" ? [1, 2] : []))
                        _ = try await call.finalStatus(timeout: .seconds(20))
                    }
                }
                return seen.allSatisfy(dump.output.contains)
            }
        }
    }

    @Test("what is revoked with the tools of one side is revoked on the other")
    func revoked() async throws {
        try await withFleet { fleet in
            let app = Chard("test", broker: RedisBroker(try RedisURL(fleet.server.url)))
            try await app.operator.revoke(["by-swift"])
            _ = try await fleet.celery("control", "-t", "3", "revoke", "by-python")
            let known = try await fleet.celery("inspect", "-t", "3", "revoked")
            for node in Self.nodes {
                #expect(known[node]?.array?.compactMap(\.string).sorted() == ["by-python", "by-swift"], "\(known)")
            }
            for id in ["by-swift", "by-python"] {
                let call = try await app.send("interop.add", Arguments([1, 2]), id: id)
                let error = await #expect(throws: TaskError.self) { try await call.value(timeout: .seconds(20)) }
                #expect(error?.type == "TaskRevokedError")
            }
        }
    }

    @Test("Flower's pages and buttons work on Swift's workers")
    func flower() async throws {
        try await withFleet { fleet in
            let port = try FreePort.find()
            let flower = try fleet.python(
                "-m", "celery", "-A", "peer", "flower", "--address=127.0.0.1", "--port=\(port)")
            defer { flower.signal(SIGKILL) }
            let driver = try fleet.python("\(Self.folder)/flower_pages.py", "http://127.0.0.1:\(port)")
            try await driver.finished(within: .seconds(180))
            let seen = try JSON(parsing: Array(driver.output.utf8))
            let talk = "\(driver.talk)\n\(flower.talk.suffix(3_000))"
            #expect(seen["workers"] == .array(Self.nodes.map(JSON.string)), "\(talk)")
            for page in ["workers page", "worker page", "task page", "broker page", "tasks page"] {
                #expect(seen[page] == 200, "\(page): \(talk)")
            }
            #expect(seen["missing on pages"] == [], "\(talk)")
            let task = seen["task"]
            #expect(task?["state"] == "SUCCESS" && task?["name"] == "interop.add", "\(seen)")
            #expect(task?["args"] == "(2, 3)" && task?["result"] == "5", "\(seen)")
            #expect(task?["worker"]?.string?.hasSuffix("@swift") == true, "\(seen)")
            for button in [
                "grow", "shrink", "autoscale", "add consumer", "cancel consumer", "rate limit", "time limit", "revoke",
                "terminate",
            ] { #expect(seen["buttons"]?[button] == 200, "\(button): \(seen)\n\(talk)") }
            #expect(seen["terminated"] == "REVOKED", "\(seen)\n\(talk)")
            #expect(seen["concurrency"] == 6, "\(seen)")
            #expect(seen["queues"] == ["celery"], "\(seen)")
            #expect(seen["queue length"] == 0, "\(seen)")
            #expect(seen["buttons"]?["shutdown"] == 200, "\(seen)")
            let two = try #require(fleet.workers["two@swift"])
            #expect(try await two.finished() == 0, "\(two.talk)")
        }
    }

    @Test("Swift asks and reads all workers, Python's too")
    func fromSwift() async throws {
        try await withFleet { fleet in
            let app = Chard("test", broker: RedisBroker(try RedisURL(fleet.server.url)))
            // Python's worker listens a little after it has said that it is ready.
            try await eventually("all answer") {
                try await app.operator.remote.ask("ping", for: .seconds(3)).map(\.node) == Self.nodes
            }
            #expect(
                try await app.operator.remote.ask("ping", of: .matching("*@swift", .glob), for: .seconds(3)).map(\.node)
                    == ["one@swift", "two@swift"])
            let one = try await app.operator.remote.ask("active_queues", of: .nodes(["py@python"]), for: .seconds(20))
            #expect(one.first?.answer[0]?["name"] == "celery")
            // Where a task is that a Python worker has, only that one can say.
            _ = try await app.operator.remote.ask(
                "add_consumer", ["queue": "python"], of: .nodes(["py@python"]), for: .seconds(20))
            let options = EnqueueOptions(queue: "python", id: "held")
            let held = try await app.send("interop.sleepy", Arguments([60]), options: options)
            try await eventually("it is known to run there") {
                let why = try await app.operator.why(held.id)
                return why.cause == "running" && why.text.hasPrefix("it runs on py@python, since ")
            }
            try await app.operator.revoke([held.id], terminating: true)
            let events = try await app.events()
            // A worker that is told without an answer may run the task before it has heard of it.
            _ = try await app.operator.remote.ask("enable_events", of: .nodes(Self.nodes), for: .seconds(20))
            let call = try await app.send("interop.add", Arguments([1, 2]))
            var types: [String] = []
            for await event in events where event.taskID == call.id {
                types.append(event.type)
                if event.type == "task-succeeded" { break }
            }
            #expect(types == ["task-received", "task-started", "task-succeeded"])
        }
    }
}
