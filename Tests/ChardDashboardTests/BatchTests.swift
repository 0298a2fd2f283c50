// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Synchronization
import Testing

@testable import ChardDashboard

@Suite("Batches")
struct BatchTests {
    @Test("two that retry the same send nothing twice, and say why they did not")
    func twice() async throws {
        let looker = try Looker()
        looker.app.task("t") { () -> Void in throw TaskError("ValueError", "no") }
        for index in 0..<20 {
            _ = try await looker.app.send("t", Arguments(), options: EnqueueOptions(id: "t\(index)"))
        }
        try await looker.work(until: looker.attempts(20))
        let fields = [
            (name: "of", value: "tasks"), (name: "act", value: "retry"), (name: "all", value: "true"),
            (name: "state", value: "failed"),
        ]
        async let first = looker.batch(fields)
        async let second = looker.batch(fields)
        let both = try await [first, second].compactMap(\.self)
        #expect(both.map(\.done) == [20, 20] && both.reduce(0) { $0 + $1.changed } == 20)
        #expect(try await looker.app.operator.queues.waiting(in: "celery", limit: 100).count == 20)
        let reasons = both.flatMap(\.reasons)
        #expect(reasons.reduce(0) { $0 + $1.count } == 20 && !reasons.isEmpty)
        #expect(both.allSatisfy { $0.user == "ada" })
    }

    @Test("chosen ones, each once, with a page of its progress")
    func chosen() async throws {
        let looker = try Looker()
        let ids = ["a", "b", "a", "nobody"].map { (name: "id", value: $0) }
        for id in ["a", "b", "c"] {
            _ = try await looker.app.send("t", Arguments(), options: EnqueueOptions(countdown: .seconds(60), id: id))
        }
        let progress = try await looker.batch(
            [(name: "of", value: "delayed"), (name: "act", value: "run")] + ids)
        #expect(progress?.total == 3 && progress?.changed == 2 && progress?.refused == 1)
        #expect(progress?.reasons.first?.id == "nobody")
        let page = try await looker.document(.batch, ["batch": progress?.id ?? ""])
        #expect(page["state"] == "done" && page["left"] == 0 && page["reasons"]?[0]?["first"] == "nobody")
        #expect(try await looker.document(.delayed).ids == ["c"])
        #expect(try await !looker.order("/batches/{batch}/cancel", ["batch": progress?.id ?? ""]).hasChanged)
        let error = await refusal { _ = try await looker.document(.batch, ["batch": "x"]) }
        #expect(error?.status == .notFound)
    }

    @Test("one is stopped half way, and no more than some run at once")
    func stopped() async throws {
        let batches = Batches()
        let begun = Mutex(0)
        let step = BatchStep(deed: "wait") { _ in
            begun.withLock { $0 += 1 }
            try await Task.sleep(for: .seconds(60))
            return .changed
        }
        var running: [Batch] = []
        for _ in 0..<Batches.mostRunning {
            running.append(try #require(await batches.start(["a", "b"], step, for: "", now: { Date() })).batch)
        }
        #expect(await batches.start(["a"], step, for: "", now: { Date() }) == nil)
        for batch in running { #expect(await batch.cancel()) }
        for batch in running { await batch.finish() }
        let progress = await running[0].progress
        #expect(progress.state == .cancelled && progress.changed == 0 && progress.endedAt != nil)
        #expect(await !running[0].cancel())
        #expect(await batches.start([], step, for: "", now: { Date() }) != nil)
    }

    @Test("what refuses is counted, and what is away for a moment waited for")
    func trouble() async throws {
        let calls = Mutex(0)
        let step = BatchStep(deed: "try") { id in
            if id == "refused" { throw BrokerError(.damaged, "it is damaged") }
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            if call == 1 { throw BrokerError(.unavailable, "it is away") }
            return .changed
        }
        let batch = Batch(["refused", "away"], step, named: "b", for: "", now: { Date() })
        await batch.start()
        await batch.finish()
        let progress = await batch.progress
        #expect(progress.state == .done && progress.changed == 1 && progress.refused == 1)
        #expect(progress.reasons.map(\.text) == ["it is damaged"])
    }

    @Test("what is not to be done to something is said before anything is done")
    func words() async throws {
        let looker = try Looker()
        for fields in [
            ["of": "tasks"], ["of": "tasks", "act": "requeue"], ["of": "cats", "act": "run"],
            ["of": "delayed", "act": "move", "id": "a"], ["of": "tasks", "act": "retry"],
        ] {
            let error = await refusal {
                _ = try await looker.order("/batches", [:], fields.map { (name: $0.key, value: $0.value) })
            }
            #expect(error?.status == .badRequest, "\(fields)")
        }
    }
}
