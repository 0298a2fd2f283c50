// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials
import Synchronization
import TestServers
import Testing

@Suite("Events on a Redis server", .timeLimit(.minutes(2)))
struct EventTests {
    /// Collects events while `body` runs.
    private func listening(
        to app: Chard, _ body: (_ seen: @Sendable () -> [WorkerEvent]) async throws -> Void
    ) async throws {
        let seen = Mutex<[WorkerEvent]>([])
        let events = try await app.events()
        let reading = Task { for await event in events { seen.withLock { $0.append(event) } } }
        defer { reading.cancel() }
        try await withoutActuallyEscaping(body) { body in
            try await body { seen.withLock { $0 } }
        }
    }

    @Test("are what happens to tasks, once they are turned on, and nothing before")
    func story() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let good = app.task("good") { (x: Int) in "it's \(x)" }
            let bad = app.task("bad") { () -> Void in throw TaskError("ValueError", "boom") }
            let again = app.task("again") { (context: TaskContext) -> Void in
                if context.attempt == 1 { throw Retry(after: .milliseconds(10)) }
            }
            try await listening(to: app) { seen in
                try await bench.working(app, WorkerOptions(node: "one@h")) { worker async throws in
                    _ = try await good.enqueue(0).value(timeout: .seconds(20))
                    #expect(seen().isEmpty)
                    let remote = app.operator.remote
                    func ask(_ method: String) async throws -> JSON? {
                        try await remote.ask(method, of: .nodes(["one@h"]), for: .seconds(20)).first?.answer["ok"]
                    }
                    #expect(try await ask("enable_events") == "task events enabled")
                    #expect(try await ask("enable_events") == "task events already enabled")
                    let id = try await good.enqueue(5).id
                    func types(of id: String) -> [String] { seen().filter { $0.taskID == id }.map(\.type) }
                    try await eventually("it is told") {
                        types(of: id) == ["task-received", "task-started", "task-succeeded"]
                    }
                    let events = seen().filter { $0.taskID == id }
                    #expect(events[0].members["name"] == "good" && events[0].members["args"] == "(5,)")
                    #expect(events[2].members["result"] == #""it's 5""#)
                    #expect(events[2].members["runtime"]?.number ?? -1 >= 0)
                    let failed = try await bad.enqueue().id
                    try await eventually("the failure is told") { types(of: failed).last == "task-failed" }
                    #expect(seen().last { $0.taskID == failed }?.members["exception"] == "ValueError('boom')")
                    let retried = try await again.enqueue().id
                    try await eventually("the retry is told") {
                        types(of: retried) == [
                            "task-received", "task-started", "task-retried", "task-received", "task-started",
                            "task-succeeded",
                        ]
                    }
                    let revoked = try good.signature(1, options: EnqueueOptions(id: "revoked-one"))
                    try await app.operator.revoke(["revoked-one"])
                    try await app.enqueue(revoked)
                    try await eventually("the revocation is told") {
                        types(of: "revoked-one") == ["task-received", "task-revoked"]
                    }
                    try await eventually("it says that it is there") {
                        let own = seen().filter { $0.node == "one@h" }.map(\.type)
                        return own.contains("worker-online") && own.contains("worker-heartbeat")
                    }
                    #expect(try await ask("disable_events") == "task events disabled")
                    let quiet = try await good.enqueue(7)
                    _ = try await quiet.value(timeout: .seconds(20))
                    #expect(types(of: quiet.id) == [])
                }
                try await eventually("it says that it is gone") { seen().last?.type == "worker-offline" }
            }
        }
    }

    @Test("tell of calls, where that is wished")
    func sent() async throws {
        try await BrokerBench.with { bench in
            let app = Chard(
                "test", broker: try bench.broker(), settings: Settings(sendsSentEvents: true))
            let task = app.task("t") { (x: Int) in x }
            try await listening(to: app) { seen in
                let one = try await task.enqueue(1)
                let many = try await app.enqueue((0..<1_200).map { try task.signature($0) })
                try await eventually("all are told") { seen().count == 1_201 }
                #expect(seen().map(\.taskID) == [one.id] + many.map(\.id))
                #expect(Set(seen().map(\.type)) == ["task-sent"])
                #expect(seen()[0].members["queue"] == "celery")
            }
        }
    }

    /// As Python writes it: what its sender has put down for people hides nothing.
    private func talkative(_ id: String) -> OutgoingMessage {
        let arguments = Arguments(["ada", "hunter2"], keywords: ["token": "t0psecret", "deep": [["cvv": 123_456]]])
        let message = TaskMessage(task: "pay", id: id, body: MessageBody(arguments), queue: "celery")
        return OutgoingMessage(id: id, queue: "celery", payload: message.encoded())
    }

    @Test("hide what the worker's settings name, whatever a sender wrote; remote control's answers do so, too")
    func redacted() async throws {
        let (positional, keywords) = ("('ada', '***')", "{'deep': [{'cvv': '***'}], 'token': '***'}")
        try await BrokerBench.with { bench in
            let app = try bench.app()
            app.task("pay", parameters: ["user", "password", "token", "deep"]) {
                (user: String, password: String, token: String, deep: JSON) in try await Task.sleep(for: .seconds(60))
            }
            var options = WorkerOptions(concurrency: 1, node: "one@h")
            options.sendsEvents = true
            try await listening(to: app) { seen in
                try await bench.working(app, options) { _ async throws in
                    var later = talkative("later")
                    later.dueAt = Date(timeIntervalSinceNow: 600)
                    let broker = try app.broker
                    try await broker.send([talkative("one"), later])
                    try await eventually("it is told") { seen().contains { $0.type == "task-received" } }
                    let received = seen().first { $0.type == "task-received" }
                    #expect(received?.members["args"] == .string(positional), "\(received?.members ?? [:])")
                    #expect(received?.members["kwargs"] == .string(keywords), "\(received?.members ?? [:])")
                    func ask(_ method: String, _ arguments: [String: JSON] = [:]) async throws -> JSON {
                        try await app.operator.remote.ask(
                            method, arguments, of: .nodes(["one@h"]), for: .seconds(20)
                        ).first?.answer ?? .null
                    }
                    let told = [
                        try await ask("active")[0], try await ask("scheduled")[0]?["request"],
                        try await ask("query_task", ["ids": ["one", "later"]])["one"]?[1],
                    ]
                    for info in told {
                        #expect(info?["args"] == ["ada", "***"], "\(told)")
                        #expect(info?["kwargs"] == ["token": "***", "deep": [["cvv": "***"]]], "\(told)")
                    }
                    #expect(try await ask("active", ["safe": true])[0]?["kwargs"] == .string(keywords))
                    try await app.operator.revoke(["one"], terminating: true)
                    try await eventually("it is over") { seen().contains { $0.type == "task-revoked" } }
                }
                let all = seen().map { JSON.object($0.members).description }.joined()
                for secret in ["hunter2", "t0psecret", "123456"] { #expect(!all.contains(secret), "\(all)") }
            }
        }
    }

    @Test("say nothing of arguments where none may be shown")
    func undescribed() async throws {
        try await BrokerBench.with { bench in
            let app = Chard("test", broker: try bench.broker(), settings: Settings(describesArguments: false))
            app.task("pay") { () in 1 }
            var options = WorkerOptions(concurrency: 1, node: "one@h")
            options.sendsEvents = true
            try await listening(to: app) { seen in
                try await bench.working(app, options) { _ async throws in
                    try await app.broker.send([talkative("one")])
                    try await eventually("it is told") { seen().contains { $0.type == "task-failed" } }
                }
                #expect(seen().first { $0.type == "task-received" }?.members["args"] == "...")
                #expect(!"\(seen().filter { $0.type == "task-received" })".contains("hunter2"))
            }
        }
    }

    @Test("a dead connection neither holds up tasks nor keeps events for ever")
    func deadConnection() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let task = app.task("t") { (x: Int) in x }
            var options = WorkerOptions(concurrency: 4, node: "one@h")
            options.sendsEvents = true
            try await bench.working(app, options) { _ async throws in
                for round in 0..<5 {
                    let calls = try await app.enqueue((0..<50).map { try task.signature($0) })
                    _ = try await bench.server.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                    for (number, call) in calls.enumerated() {
                        #expect(try await call.value(timeout: .seconds(30)) == number, "round \(round)")
                    }
                }
                try await listening(to: app) { seen in
                    let id = try await task.enqueue(1).id
                    try await eventually("events go on") {
                        seen().contains { $0.taskID == id && $0.type == "task-succeeded" }
                    }
                }
            }
        }
    }
}
