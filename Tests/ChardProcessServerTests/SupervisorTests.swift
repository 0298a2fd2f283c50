// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import Synchronization
import TestServers
import Testing

@Suite("Signals to a supervisor", .timeLimit(.minutes(3)))
struct SupervisorTests {
    @Test("SIGHUP: every process is replaced, what runs is finished, and the service has no gap")
    func renewal() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--processes", "2", "-c", "2", "-n", "pool")
            try await eventually("both work") { try await processes(bench).count == 2 }
            let before = try await processes(bench)
            let running = try await bench.app.send("interop.mark_sleep", Arguments(["renewal", 3, "kept"]))
            _ = try await bench.marks("renewal", count: 1)
            supervisor.signal(SIGHUP)
            var slowest = Duration.zero
            try await eventually("both are others", within: .seconds(30)) {
                let asked = ContinuousClock.now
                let sum = try await bench.app.send("interop.add", Arguments([1, 2]))
                _ = try await sum.value(timeout: .seconds(10))
                slowest = max(slowest, .now - asked)
                let present = try await processes(bench)
                return present.count == 2 && present.isDisjoint(with: before)
            }
            #expect(slowest < .seconds(2), "the service had a gap")
            #expect(try await running.value(timeout: .seconds(5)) == "kept")
            #expect(try await bench.marks("renewal").count == 1)
            // One that has given up its place still has to write what it knows, and to end.
            try await eventually("the first ones have ended") { before.allSatisfy { kill($0, 0) != 0 } }
            // And again, as after each deployment.
            let second = try await processes(bench)
            supervisor.signal(SIGHUP)
            try await eventually("both are others once more", within: .seconds(30)) {
                let present = try await processes(bench)
                return present.count == 2 && present.isDisjoint(with: second)
            }
            supervisor.signal(SIGTERM)
            #expect(try await supervisor.finished() == 0, "\(supervisor.talk)")
        }
    }

    @Test("SIGQUIT: all processes hand back what they hold, uncounted, and end")
    func quit() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--processes", "2", "-c", "1", "-n", "pool")
            let messages = (0..<2).map { RawMessage("interop.mark_sleep", ["quit", 60, .integer($0)]) }
            try await bench.push(messages.map(\.payload))
            _ = try await bench.marks("quit", count: 2)
            supervisor.signal(SIGQUIT)
            #expect(try await supervisor.finished(within: .seconds(10)) == 0, "\(supervisor.talk)")
            let waiting =
                try await bench.redis(RedisCommand("LRANGE", "celery", 0, -1)).array?.compactMap(\.bytes) ?? []
            #expect(Set(waiting) == Set(messages.map(\.payload)))
            #expect(try await bench.keys("chard:*:leased:*").isEmpty)
        }
    }

    @Test("each process has a node name of its own, and one that replaces a dead one has its name")
    func nodes() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--processes", "2", "-c", "1", "-n", "pool@here")
            try await eventually("both work") { try await nodes(bench).count == 2 }
            let before = try await nodes(bench)
            #expect(before.keys.sorted() == ["pool-1@here", "pool-2@here"])
            let unknown = try await bench.app.send("interop.nobody_knows")
            _ = try await unknown.finalStatus(timeout: .seconds(10))
            let worker = try #require(try await bench.broker.deadLetter(unknown.id)?.worker)
            #expect(before[worker] != nil, "the dead letter names \(worker)")
            let victim = try #require(before["pool-2@here"])
            kill(victim, SIGKILL)
            try await eventually("another one has its name", within: .seconds(30)) {
                let present = try await nodes(bench)
                return present.count == 2 && present["pool-1@here"] == before["pool-1@here"]
                    && present["pool-2@here"].map { $0 != victim } == true
            }
            supervisor.signal(SIGTERM)
            #expect(try await supervisor.finished() == 0, "\(supervisor.talk)")
        }
    }

    @Test("a task that ends its process three times says which, and by what signal")
    func cause() async throws {
        try await ProcessBench.with { bench in
            let workers = try await bench.worker("--processes", "2", "-c", "1")
            let told = Mutex<[WorkerEvent]>([])
            let events = try await bench.app.events()
            let reading = Task { for await event in events { told.withLock { $0.append(event) } } }
            defer { reading.cancel() }
            let task = try await bench.app.send("interop.mark_sleep", Arguments(["cause", 60]))
            for run in 1...3 {
                let victim = try await bench.marks("cause", count: run, within: .seconds(30))[run - 1].processID
                kill(victim, SIGKILL)
            }
            let error = await #expect(throws: TaskError.self) { try await task.value(timeout: .seconds(40)) }
            #expect(error?.type == "WorkerLost")
            #expect(error?.message.contains("was ended by signal 9") == true, "\(error?.message ?? "")")
            // Else Flower would show it as started for ever.
            try await eventually("the end is told as an event") {
                told.withLock { $0.contains { $0.type == "task-failed" && $0.taskID == task.id } }
            }
            try await bench.stop(workers)
        }
    }

    @Test("one process alone has the name without a number, also under a supervisor")
    func oneNode() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--max-tasks-per-child", "100", "-n", "pool@here")
            try await eventually("it works") { try await nodes(bench).keys.sorted() == ["pool@here"] }
            supervisor.signal(SIGTERM)
            #expect(try await supervisor.finished() == 0, "\(supervisor.talk)")
        }
    }

    @Test("after so many tasks a process ends and is replaced, and no task is lost or run twice")
    func maximumTasks() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--max-tasks-per-child", "5", "-c", "1", "-n", "pool")
            let calls = try await bench.app.enqueue(
                (0..<20).map { Signature("interop.mark", Arguments(["recycled", .integer($0)])) })
            for call in calls { _ = try await call.value(timeout: .seconds(60)) }
            let marks = try await bench.marks("recycled")
            #expect(marks.compactMap(\.value.integer).sorted() == Array(0..<20))
            let runs = Dictionary(grouping: marks, by: \.processID).mapValues(\.count)
            #expect(runs.count >= 2, "\(runs)")
            // What was claimed together with the fifth is finished, too; a slot more than that is a limit that does not hold.
            #expect(runs.values.allSatisfy { $0 <= 10 }, "\(runs)")
            supervisor.signal(SIGTERM)
            #expect(try await supervisor.finished() == 0, "\(supervisor.talk)")
        }
    }

    @Test(
        "a process that is larger than it may be is replaced between tasks, one that is smaller stays",
        arguments: [("1", true), ("100000", false)])
    func maximumMemory(_ limit: String, _ isReplaced: Bool) async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--max-memory-per-child", limit, "-c", "1", "-n", "pool")
            try await eventually("it works") { try await processes(bench).count == 1 }
            let before = try await processes(bench)
            // The size is looked at when a task has ended, once a second.
            let end = ContinuousClock.now + .seconds(3)
            let runs = Mutex(0)
            try await eventually("it has run for long enough, or is another one", within: .seconds(60)) {
                let run = runs.withLock { $0 }
                let call = try await bench.app.send("interop.mark", Arguments(["sized", .integer(run)]))
                _ = try await call.value(timeout: .seconds(30))
                runs.withLock { $0 += 1 }
                let present = try await processes(bench)
                return isReplaced ? !present.isEmpty && present.isDisjoint(with: before) : .now > end
            }
            #expect(try await processes(bench).isDisjoint(with: before) == isReplaced)
            let marks = try await bench.marks("sized")
            #expect(marks.compactMap(\.value.integer).sorted() == Array(0..<runs.withLock { $0 }), "each has run once")
            #expect(!supervisor.talk.contains("was ended by signal"), "\(supervisor.talk)")
            supervisor.signal(SIGTERM)
            #expect(try await supervisor.finished() == 0, "\(supervisor.talk)")
        }
    }

    /// The process of each node name.
    private func nodes(_ bench: ProcessBench) async throws -> [String: Int32] {
        let workers = try await bench.chard("workers", "--json").json.array ?? []
        return Dictionary(
            workers.compactMap { worker in
                guard let node = worker["node"]?.string, let pid = worker["pid"]?.integer else { return nil }
                return (node, Int32(pid))
            }, uniquingKeysWith: { _, last in last })
    }

    private func processes(_ bench: ProcessBench) async throws -> Set<Int32> {
        let workers = try await bench.chard("workers", "--json").json.array ?? []
        return Set(workers.compactMap { $0["pid"]?.integer.map { Int32($0) } })
    }
}
