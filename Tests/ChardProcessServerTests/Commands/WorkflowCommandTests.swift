// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import TestServers
import Testing

@Suite("workflow, as processes on a real server", .timeLimit(.minutes(2)))
struct WorkflowCommandTests {
    private func add(_ bench: ProcessBench) -> TaskHandle<Int, Int, Int> {
        bench.app.reference("interop.add", taking: Int.self, Int.self, returning: Int.self)
    }

    @Test("list and show, of a workflow that waits, succeeds and fails; --json, --watch")
    func show() async throws {
        try await ProcessBench.with { bench in
            let none = try await bench.chard("workflow", "list")
            #expect(none.status == 0 && none.output.isEmpty && !none.talk.isEmpty, "\(none)")
            let add = add(bench)
            let sum: TaskHandle<Int, [Int]> = bench.app.reference(
                "interop.xsum", taking: [Int].self, returning: Int.self)
            let members = try (1...3).map { try add.signature($0, 1) }
            let result = try await group(members).then(sum).then(add, with: 5).enqueue()
            let id = try #require(result.workflowID)
            let waiting = try await bench.chard("workflow", "show", id)
            #expect(waiting.status == 0 && waiting.output.contains("waiting, 0 of 5 done"), "\(waiting)")
            let watch = try bench.start("chard", ["workflow", "show", id, "--watch", "--json"])
            try await eventually("it is watched") { watch.output.contains("\"waiting\"") }
            let worker = try await bench.worker()
            #expect(try await result.value(timeout: .seconds(20)) == 14)
            let watched = try await CommandRun(watch)
            #expect(watched.status == 0, "\(watched)")
            let last = try JSON(parsing: String(try #require(watched.lines.last)))
            #expect(last["state"] == "succeeded", "\(watched)")
            let shown = try await bench.chard("workflow", "show", id, "--json").json
            #expect(shown["progress"]?["succeeded"] == 5 && shown["state"] == "succeeded")
            #expect(shown["tree"]?[0]?["members"]?.array?.count == 3)
            #expect(shown["tree"]?[2]?["task"] == "interop.add" && shown["tree"]?[2]?["seconds"]?.number != nil)
            let listed = try await bench.chard("workflow", "list", "--json").json
            #expect(listed.array?.count == 1 && listed[0]?["id"] == .string(id))
            #expect(listed[0]?["tree"] == nil)
            try await bench.stop(worker)

            let unknown = try await bench.chard("workflow", "show", "unknown")
            #expect(unknown.status == 1 && unknown.isOneLine && unknown.talk.contains("unknown"), "\(unknown)")
            // Everything of it goes by itself.
            for key in try await bench.keys("chard:record*") {
                #expect(try await bench.redis(RedisCommand("PTTL", key)).integer ?? 0 > 0, "\(key)")
            }
        }
    }

    @Test("a workflow that has failed goes on from there")
    func retry() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker()
            let add = add(bench)
            // Fails for as long as the second argument is no number.
            let odd = bench.app.reference("interop.add", taking: Int.self, String.self, returning: Int.self)
            let result = try await add.then(odd, with: "x").then(add, with: 1).enqueue(1, 2)
            let id = try #require(result.workflowID)
            _ = try await result.finalStatus(timeout: .seconds(20))
            let failed = try await bench.chard("workflow", "show", id)
            #expect(failed.output.contains("failed, 3 of 3 done, 2 failed"), "\(failed)")
            #expect(failed.output.contains("TypeError"), "\(failed)")
            let again = try await bench.chard("workflow", "retry", id, "--json")
            #expect(again.status == 0, "\(again)")
            #expect(try again.json["sent"]?.array?.count == 1, "\(again)")
            // As before: the task is what it was.
            try await eventually("it has failed again") {
                try await bench.chard("workflow", "show", id, "--json").json["state"] == "failed"
            }
            let unknown = try await bench.chard("workflow", "retry", "unknown")
            #expect(unknown.status == 1 && unknown.isOneLine, "\(unknown)")
            try await bench.stop(worker)
        }
    }

    @Test(
        "a signal that another process gives is the step's result, before or while the step waits; the first one counts"
    )
    func signal() async throws {
        try await ProcessBench.with { bench in
            let add = add(bench)
            func flow() throws -> (Flow, Flow.Step<Int>) {
                var flow = Flow(bench.app, queue: "celery")
                let cart = try flow.step("cart", add.signature(1, 2))
                let extra = try flow.signal("extra", of: Int.self, timeout: .seconds(60), after: ["cart"])
                let sum = try flow.step("sum", add, taking: cart, extra)
                return (flow, sum)
            }
            let (early, earlySum) = try flow()
            let first = try await early.enqueue(returning: earlySum)
            let id = try #require(first.workflowID)
            let given = try await bench.chard("workflow", "signal", id, "extra", "40")
            #expect(given.status == 0 && given.output.contains("signal extra given"), "\(given)")
            let second = try await bench.chard("workflow", "signal", id, "extra", "50", "--json")
            #expect(try second.status == 0 && second.json["signal"] == "extra", "\(second)")
            let worker = try await bench.worker()
            #expect(try await first.value(timeout: .seconds(20)) == 43)
            let steps =
                try await bench.chard("workflow", "show", id, "--json").json["tree"]?[0]?["members"]?.array ?? []
            let after = steps.map { $0[0]?["after"]?.array ?? [] }
            #expect(after.map(\.count) == [0, 1, 2], "which steps a step comes after: \(steps)")
            #expect(after.last?.first == steps.first?[0]?["id"])

            let (late, lateSum) = try flow()
            let other = try await late.enqueue(returning: lateSum)
            let otherID = try #require(other.workflowID)
            try await eventually("only the signal is missing") {
                try await bench.app.workflow(otherID).progress().succeeded == 1
            }
            for (words, said) in [
                (["unknown", "extra"], "nothing is known"), ([otherID, "approve"], "it knows extra"),
                ([id, "extra"], "does not wait for \"extra\" any more"),
            ] {
                let refused = try await CommandRun(bench.start("chard", ["workflow", "signal"] + words))
                #expect(refused.status == 1 && refused.isOneLine && refused.talk.contains(said), "\(refused)")
            }
            let payload = try await bench.chard("workflow", "signal", otherID, "extra", "{not json")
            #expect(payload.status == 2 && payload.isOneLine, "\(payload)")
            #expect(try await other.status().state == .pending)
            #expect(try await bench.chard("workflow", "signal", otherID, "extra", "7").status == 0)
            #expect(try await other.value(timeout: .seconds(20)) == 10)
            try await bench.stop(worker)
        }
    }

    @Test("a workflow that is cancelled while no worker runs stays so")
    func cancel() async throws {
        try await ProcessBench.with { bench in
            let add = add(bench)
            let result = try await add.then(add, with: 1).then(add, with: 1).enqueue(1, 2)
            let id = try #require(result.workflowID)
            let cancelled = try await bench.chard("workflow", "cancel", id)
            #expect(cancelled.status == 0 && cancelled.output.hasPrefix("1 workflow cancelled"), "\(cancelled)")
            #expect(try await result.status().state == .revoked)
            let other = try await add.enqueue(1, 1)
            let worker = try await bench.worker()
            #expect(try await other.value(timeout: .seconds(20)) == 2)
            try await eventually("nothing is left") { try await bench.isQuiet() }
            try await bench.stop(worker, done: 2)
            let shown = try await bench.chard("workflow", "show", id, "--json").json
            #expect(shown["state"] == "cancelled" && shown["progress"]?["cancelled"] == 3)
            let retry = try await bench.chard("workflow", "retry", id)
            #expect(retry.status == 1 && retry.isOneLine && retry.talk.contains("called off"), "\(retry)")
        }
    }
}
