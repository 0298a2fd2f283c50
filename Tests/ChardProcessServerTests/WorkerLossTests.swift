// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

/// Workers at default settings that end by SIGKILL. What is measured is printed.
@Suite("A worker process that is killed in mid-task", .timeLimit(.minutes(3)))
struct WorkerLossTests {
    @Test("with another one up: its tasks run again within 20 s, end once, and nobody else's run twice")
    func another() async throws {
        try await ProcessBench.with { bench in
            let first = try await bench.worker("-c", "4", "-n", "first")
            let second = try await bench.worker("-c", "4", "-n", "second")
            let tasks = try await bench.app.enqueue(
                (0..<8).map { Signature("interop.mark_sleep", Arguments(["loss", 6, .integer($0)])) })
            let before = try await bench.marks("loss", count: 8)
            let victim = before[0].processID == first.id ? first : second
            let survivor = victim === first ? second : first
            let lost = before.filter { $0.processID == victim.id }.map(\.value)
            let killedAt = Date().timeIntervalSince1970
            victim.signal(SIGKILL)

            let again = try await bench.marks("loss", count: 8 + lost.count, within: .seconds(20)).dropFirst(8)
            report("killed with another worker up", again.map { $0.time - killedAt })
            #expect(again.allSatisfy { $0.processID == survivor.id && $0.time - killedAt < 20 })
            #expect(Set(again.map(\.value)) == Set(lost))
            try await eventually("the dead worker is gone from the list") {
                try await nodes(bench) == [survivor === first ? "first" : "second"]
            }
            for (number, task) in tasks.enumerated() {
                #expect(try await task.value(timeout: .seconds(20)) == .integer(number))
            }
            try await eventually("all is settled") { try await bench.isQuiet() }
            #expect(try await bench.marks("loss").count == 8 + lost.count)
            #expect(try await bench.marks("loss:done").map(\.value).tally.values.allSatisfy { $0 == 1 })
            #expect(try await bench.marks("loss:done").count == 8)
            try await bench.stop(survivor, done: 8)
        }
    }

    @Test("and started anew under the same name: its tasks run again within 20 s")
    func restarted() async throws {
        try await ProcessBench.with { bench in
            let victim = try await bench.worker("-c", "2", "-n", "same")
            let task = try await bench.app.send("interop.mark_sleep", Arguments(["restart", 5, "v"]))
            _ = try await bench.marks("restart", count: 1)
            let killedAt = Date().timeIntervalSince1970
            victim.signal(SIGKILL)
            #expect(try await victim.finished() == -SIGKILL)
            let next = try await bench.worker("-c", "2", "-n", "same")
            let again = try await bench.marks("restart", count: 2)[1]
            report("killed and started anew", [again.time - killedAt])
            #expect(again.time - killedAt < 20)
            #expect(try await task.value(timeout: .seconds(10)) == "v")
            #expect(try await bench.marks("restart:done").count == 1)
            try await bench.stop(next, done: 1)
        }
    }

    @Test("three times over the same task: the task is put aside with its story, and its failure stored")
    func poison() async throws {
        try await ProcessBench.with { bench in
            let task = try await bench.app.send("interop.mark_sleep", Arguments(["poison", 60]))
            let witness = try await bench.worker("-Q", "other", "-n", "witness")
            for run in 1...3 {
                let victim = try await bench.worker("-c", "1", "-n", "victim")
                _ = try await bench.marks("poison", count: run, within: .seconds(30))
                victim.signal(SIGKILL)
                try await victim.finished()
            }
            let error = await #expect(throws: TaskError.self) { try await task.value(timeout: .seconds(30)) }
            #expect(error?.type == "WorkerLost")
            let letter = try await bench.chard("dead", "show", task.id, "--json").json
            #expect(letter["reason"] == "workerLost")
            #expect(letter["task"] == "interop.mark_sleep")
            #expect(letter["worker"] == "victim")
            #expect(try await bench.marks("poison").count == 3)
            #expect(try await bench.isQuiet())
            try await bench.stop(witness, done: 0)
        }
    }

    private func nodes(_ bench: ProcessBench) async throws -> [String] {
        try await bench.chard("workers", "--json").json.array?.compactMap { $0["node"]?.string } ?? []
    }

    private func report(_ what: String, _ seconds: [Double]) {
        let figures = seconds.map { String(format: "%.1f", $0) }.joined(separator: ", ")
        print("MEASURED a worker \(what): run again after \(figures) s")
    }
}
