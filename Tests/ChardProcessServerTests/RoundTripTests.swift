// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("From a client to a worker process and back", .timeLimit(.minutes(2)))
struct RoundTripTests {
    @Test("from the shell: send, result, send --wait")
    func shell() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "2")
            let sent = try await bench.chard("send", "interop.add", "--args", "[2, 3]")
            #expect(sent.status == 0 && sent.talk.isEmpty, "\(sent)")
            let id = try #require(sent.lines.first.map(String.init))
            #expect(UUID(uuidString: id) != nil)
            let result = try await bench.chard("result", id, "--wait", "10", "--json")
            #expect(result.status == 0, "\(result)")
            #expect(try result.json["status"] == "SUCCESS")
            #expect(try result.json["result"] == 5)
            #expect(try result.json["task_id"] == .string(id))

            let waited = try await bench.chard(
                "send", "interop.add", "--kwargs", #"{"x": "a", "y": "b"}"#, "--wait", "10")
            #expect(waited.status == 0 && waited.lines.last == #""ab""#, "\(waited)")
            try await bench.stop(worker, done: 2)
        }
    }

    @Test("from Swift: typed by reference, through a queue of its own, with what the worker is told")
    func swift() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-Q", "math,celery", "-c", "2")
            let add = bench.app.reference("interop.add", taking: Int.self, Int.self, returning: Int.self)
            #expect(try await add.enqueue(2, 3, options: .init(queue: "math")).value(timeout: .seconds(10)) == 5)
            let failing = try await bench.app.send("interop.fail", Arguments(["oh no", "KeyError"]))
            let error = await #expect(throws: TaskError.self) { try await failing.value(timeout: .seconds(10)) }
            #expect(error?.type == "KeyError")
            #expect(error?.message == "oh no")
            let info = try await bench.app.send(
                "interop.info",
                options: EnqueueOptions(
                    queue: "math", priority: 3, headers: ["tenant": "blue"], id: "an id of one's own"))
            let seen = try await info.value(timeout: .seconds(10))
            #expect(seen["id"] == "an id of one's own")
            #expect(seen["headers"] == ["tenant": "blue"])
            #expect(seen["delivery_info"]?["routing_key"] == "math")
            #expect(seen["delivery_info"]?["priority"] == 3)
            try await bench.stop(worker, done: 3)
        }
    }

    @Test("retries and progress are seen on the way")
    func states() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "2")
            for (task, arguments, state) in [
                ("interop.retry_then_ok", Arguments([2, 0.2]), TaskState.retry),
                ("interop.progress", Arguments([2, 0.3]), TaskState.progress),
            ] {
                let result = bench.app.result(of: TaskID.random())
                var seen: Set<TaskState> = []
                let statuses = try result.statuses()
                try await eventually("somebody listens") {
                    try await bench.redis(RedisCommand("PUBSUB", "NUMSUB", "celery-task-meta-\(result.id)")).array?
                        .last?
                        .integer == 1
                }
                try await bench.app.send(task, arguments, options: EnqueueOptions(id: result.id))
                for try await status in statuses {
                    seen.insert(status.state)
                    if status.state.isReady { break }
                }
                #expect(seen.isSuperset(of: [state, .success]), "\(seen)")
                #expect(try await result.value(timeout: .seconds(10)) == 2)
            }
            try await bench.stop(worker)
        }
    }

    @Test("with one slot, the urgent first")
    func priorities() async throws {
        try await ProcessBench.with { bench in
            for priority in [9, 3, 6, 0] {
                let sent = try await bench.chard(
                    "send", "interop.mark", "--args", #"["order", \#(priority)]"#, "--priority", "\(priority)")
                #expect(sent.status == 0, "\(sent)")
            }
            let worker = try await bench.worker("-c", "1")
            #expect(try await bench.marks("order", count: 4).map(\.value) == [0, 3, 6, 9])
            try await bench.stop(worker, done: 4)
        }
    }

    @Test("a countdown: no sooner, and soon after")
    func countdown() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "1")
            let sentAt = Date().timeIntervalSince1970
            let sent = try await bench.chard("send", "interop.mark", "--args", #"["later"]"#, "--countdown", "1.5")
            #expect(sent.status == 0, "\(sent)")
            let ran = try await bench.marks("later", count: 1)[0].time - sentAt
            #expect(ran >= 1.5)
            #expect(ran < 5)
            try await bench.stop(worker, done: 1)
        }
    }

    @Test("a worker lets go of the code that only its start has needed")
    func startPages() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "1")
            func kilobytes(_ name: String) throws -> Int? {
                let status = try String(contentsOfFile: "/proc/\(worker.id)/status", encoding: .utf8)
                let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
                return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
            }
            let peak = try #require(try kilobytes("VmHWM"))
            try await eventually("it is smaller than it was") { try kilobytes("VmRSS") ?? .max < peak * 9 / 10 }
            try await bench.stop(worker)
        }
    }

    @Test("what is too late does not run")
    func expires() async throws {
        try await ProcessBench.with { bench in
            let sent = try await bench.chard("send", "interop.mark", "--args", #"["late"]"#, "--expires", "0.2")
            let over = Date().addingTimeInterval(0.2)
            try await eventually("it has expired") { Date() > over }
            let worker = try await bench.worker("-c", "1")
            let result = try await bench.chard("result", String(sent.lines[0]), "--wait", "10", "--json")
            #expect(result.status == 1, "\(result)")
            #expect(try result.json["status"] == "REVOKED")
            #expect(try result.json["result"]?["exc_type"] == "TaskRevokedError")
            #expect(try await bench.marks("late").isEmpty)
            try await bench.stop(worker)
        }
    }
}
