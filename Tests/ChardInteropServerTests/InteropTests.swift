// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials
import TestServers
import Testing

/// Real Celery on one side, a real worker process of ours on the other, a real Redis between them.
@Suite("With Celery's own clients and workers", .serialized, .timeLimit(.minutes(8)))
struct InteropTests {
    static let count = 10_000

    /// Runs with a server and the `interop` example's worker on it.
    private func withWorker(
        _ options: [String] = [], _ body: (RedisServer, Program) async throws -> Void
    ) async throws {
        try await RedisServer.with { server in
            let worker = try Program(
                "interop", ["worker", "-c", "4"] + options, environment: ["CHARD_BROKER_URL": server.url])
            try await worker.says("ready")
            try await body(server, worker)
            worker.signal(15)
            #expect(try await worker.finished() == 0, "\(worker.talk)")
        }
    }

    /// Runs with a server and Celery's own worker on it.
    private func withPython(concurrency: Int = 1, _ body: (RedisServer) async throws -> Void) async throws {
        try await RedisServer.with { server in
            let python = try Program.peer(["worker", "-c", "\(concurrency)"], redis: server.url)
            try await python.says("ready.")
            try await body(server)
            python.signal(15)
            try await python.finished()
        }
    }

    private func answer(_ program: Program, within limit: Duration = .seconds(240)) async throws -> JSON {
        try await program.finished(within: limit)
        return try JSON(parsing: Array(program.output.utf8))
    }

    @Test("Python sends 10,000 tasks to Swift: all results right, each run once")
    func pythonToSwift() async throws {
        try await withWorker { server, _ in
            let sums = try await answer(
                try Program.peer(["send-many", "--count", "\(Self.count)", "--timeout", "200"], redis: server.url))
            #expect(sums["ok"] == .integer(Self.count), "\(sums)")
            let marks = try await answer(
                try Program.peer(
                    [
                        "send-many", "--task", "mark", "--count-key", "once", "--count", "\(Self.count)", "--timeout",
                        "200",
                    ], redis: server.url))
            #expect(marks["ok"] == .integer(Self.count), "\(marks)")
            #expect(marks["runs"] == .integer(Self.count))
            #expect(marks["repeated"] == 0)
        }
    }

    @Test("Swift sends 10,000 tasks to Python: all results right")
    func swiftToPython() async throws {
        try await withPython(concurrency: 2) { server in
            let app = Chard("test", broker: RedisBroker(try RedisURL(server.url)))
            let add = app.reference("interop.add", taking: Int.self, Int.self, returning: Int.self)
            let results = try await app.enqueue((0..<Self.count).map { try add.signature($0, 1) })
            for (number, result) in results.enumerated() {
                #expect(try await result.value(timeout: .seconds(120)) == number + 1)
            }
            let failing = try await app.send("interop.fail", Arguments([], keywords: ["kind": "KeyError"]))
            let error = await #expect(throws: TaskError.self) { try await failing.value(timeout: .seconds(10)) }
            #expect(error?.type == "KeyError")
            #expect(error?.traceback?.contains("Traceback") == true)
        }
    }

    @Test("what is large enough to be sent as plain text reaches Python as it is")
    func largeToPython() async throws {
        try await withPython { server in
            let app = Chard("test", broker: RedisBroker(try RedisURL(server.url)))
            let text = JSON.string(String(repeating: "a \"quoted\" line of \u{20AC} \\ 😀\n", count: 5_000))
            let echoed = try await app.send("interop.echo", Arguments([text]))
            let waiting = try await echoed.value(timeout: .seconds(30))
            #expect(waiting["args"] == [text])
        }
    }

    @Test("a call with a countdown reaches a queue that only Python serves, if its worker is to hold it")
    func countdownToPython() async throws {
        try await withPython { server in
            let start = ContinuousClock.now
            let sent = try Program(
                "chard",
                [
                    "send", "interop.add", "--args", "[2, 3]", "--countdown", "1", "--worker-holds-eta", "--wait", "20",
                    "--json",
                ], environment: ["CHARD_BROKER_URL": server.url])
            #expect(try await answer(sent)["result"] == 5)
            #expect(.now - start >= .seconds(0.9))
        }
    }

    @Test(
        "a call with a countdown goes by itself to a queue that only Python's worker serves; or is kept, if so wished")
    func countdownByItself() async throws {
        try await withPython { server in
            let broker = RedisBroker(try RedisURL(server.url))
            let app = Chard("test", broker: broker)
            let call = try await app.send("interop.add", Arguments([2, 3]), in: .seconds(1))
            #expect(try await app.operator.delayedTasks.list().isEmpty)
            #expect(try await call.value(timeout: .seconds(20)) == 5)
            try await app.send(
                "interop.add", Arguments([2, 3]), in: .seconds(60), options: EnqueueOptions(workerHoldsETA: false))
            #expect(try await app.operator.delayedTasks.list().count == 1)
            await broker.shutdown()
        }
    }

    @Test("without a Python worker, or beside a Swift one of its queue, a call with a countdown waits in the broker")
    func countdownKept() async throws {
        try await withWorker(["-Q", "swift"]) { server, _ in
            for hasPython in [false, true] {
                let broker = RedisBroker(try RedisURL(server.url))
                let app = Chard("test", broker: broker)
                var python: Program?
                if hasPython {
                    python = try Program.peer(["worker", "-c", "1"], redis: server.url)
                    try await python?.says("ready.")
                }
                let queue = hasPython ? "swift" : "nobody"
                try await app.send("interop.add", Arguments([2, 3]), in: .seconds(60), queue: queue)
                #expect(try await app.operator.delayedTasks.list(in: queue).count == 1, "Python: \(hasPython)")
                await broker.shutdown()
                python?.signal(15)
                try await python?.finished()
            }
        }
    }

    @Test("Python sends 10,000 tasks to a queue that Python and Swift workers share: each run once")
    func shared() async throws {
        try await withWorker { server, _ in
            let python = try Program.peer(["worker", "-c", "1"], redis: server.url)
            try await python.says("ready.")
            let marks = try await answer(
                try Program.peer(
                    [
                        "send-many", "--task", "mark", "--count-key", "shared", "--count", "\(Self.count)",
                        "--timeout", "200",
                    ], redis: server.url))
            #expect(marks["ok"] == .integer(Self.count), "\(marks)")
            #expect(marks["runs"] == .integer(Self.count))
            #expect(marks["repeated"] == 0)
            // Both must have had a share, or this says nothing about sharing.
            #expect(marks["by_pid"]?.object?.count ?? 0 >= 2, "\(marks)")
            python.signal(15)
            try await python.finished()
        }
    }

    @Test("a Python worker runs the ticks of a beat")
    func beat() async throws {
        try await RedisServer.with { server in
            let python = try Program.peer(["worker", "-c", "1"], redis: server.url)
            try await python.says("ready.")
            let beat = try Program("chard", ["beat"], environment: ["CHARD_BROKER_URL": server.url])
            try await beat.says("beat is ready")
            let app = Chard("test", broker: RedisBroker(try RedisURL(server.url)))
            try await app.operator.schedules.put(
                Schedule("tick", .every(.milliseconds(500)), call: PeriodicCall("interop.add", Arguments([2, 3]))))
            try await eventually("two ticks are sent") {
                try await app.operator.schedules.find("tick")?.progress.sent ?? 0 >= 2
            }
            let id = try #require(try await app.operator.schedules.find("tick")?.progress.taskID)
            #expect(try await app.result(of: id).value(timeout: .seconds(20)) == 5)
            for program in [beat, python] {
                program.signal(15)
                #expect(try await program.finished() == 0, "\(program.talk)")
            }
        }
    }

    @Test("every value that Celery's JSON can carry comes back as it was sent")
    func types() async throws {
        try await withWorker { server, _ in
            let types = try await answer(try Program.peer(["types"], redis: server.url))
            #expect(types["ok"] == true, "\(types)")
        }
    }

    @Test(
        "a Python client sees what a Swift task did",
        arguments: [
            (["call", "add", "--kwargs", #"{"x": 2, "y": 3}"#], "SUCCESS", "5"),
            (["call", "add", "--args", "[2, 3]", "--options", #"{"compression": "gzip"}"#], "SUCCESS", "5"),
            (["call", "add", "--args", "[2, 3]", "--protocol", "1"], "SUCCESS", "5"),
            (["call", "retry_then_ok", "--kwargs", #"{"times": 2, "countdown": 0.1}"#], "SUCCESS", "2"),
            (["call", "sleepy", "--args", "[0.1, 7]", "--countdown", "0.3"], "SUCCESS", "7"),
            (["call", "fail", "--args", #"["oh"]"#], "FAILURE", "ValueError"),
            (["call", "add", "--args", "[2]"], "FAILURE", "TypeError"),
            (["call", "nobody.knows"], "FAILURE", "NotRegistered"),
            (
                ["call", "add", "--args", "[2, 3]", "--countdown", "1", "--expires", "0.3"], "REVOKED",
                "TaskRevokedError"
            ),
            (
                ["call", "add", "--args", "[1, 2]", "--options", #"{"link": [{"task": "interop.add", "args": [1]}]}"#],
                "SUCCESS", "3"
            ),
        ])
    func calls(call: [String], state: String, outcome: String) async throws {
        try await withWorker { server, _ in
            let seen = try await answer(try Program.peer(call, redis: server.url))
            #expect(seen["state"]?.string == state, "\(seen)")
            #expect((seen["exc_type"]?.string ?? seen["result"]?.description) == outcome, "\(seen)")
        }
    }
}
