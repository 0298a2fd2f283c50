// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("Workflows whose results are kept on another server", .timeLimit(.minutes(2)))
struct ResultsElsewhereTests {
    @Test(
        "a worker that is lost at any of its calls to that server, before or after it, carries everything on, once",
        arguments: [false, true])
    func lost(after: Bool) async throws {
        // One of two calls in the one way, the others in the other.
        var call = after ? 1 : 0
        while try await run(losingAt: call, after: after) { call += 2 }
        #expect(call > 15, "the calls to that server")
    }

    @Test("a flow goes on from what has failed, as often as it is asked")
    func flow() async throws {
        let app = Chard("app", broker: MemoryBroker(), results: MemoryBroker())
        let attempts = Mutex(0)
        let double = app.task("double") { (x: Int) in 2 * x }
        let add = app.task("add") { (x: Int, y: Int) in x + y }
        let fragile = app.task("fragile") { (x: Int) in
            if attempts.withLock({
                $0 += 1; return $0
            }) < 3 {
                throw TaskError("ValueError", "not yet")
            }
            return x
        }
        var flow = Flow(app)
        let good = try flow.step("good", double.signature(1))
        let bad = try flow.step("bad", fragile.signature(5))
        let both = try flow.step("both", add, taking: good, bad)
        let last = try flow.step("last", add, taking: both, good)
        let result = try await flow.enqueue(returning: last)
        let workflow = app.workflow(try #require(result.workflowID))
        try await withWorker(app) { _ in
            for _ in 0..<2 {
                try await eventually("it has failed") { try await workflow.report()?.state == .failed }
                #expect(try await workflow.retry().count == 1)
            }
            #expect(try await result.value(timeout: .seconds(20)) == 9)
        }
    }

    /// Returns whether there was such a call.
    private func run(losingAt call: Int, after: Bool) async throws -> Bool {
        let (broker, store) = (MemoryBroker(), LosingStore())
        let app = Chard("app", broker: broker, results: store)
        let sent = SentMessages()
        app.add(observer: sent)
        let double = app.task("double") { (x: Int) in 2 * x }
        let sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        let fail = app.task("fail") { (_: Int) -> Int in throw TaskError("ValueError", "boom") }
        let told = app.task("told") { (_: String) in }
        // A join that a worker opens.
        let good = try await double.signature(1).then(eachOf: [double, double]).then(sum).enqueue()
        let bad = try await group([double.signature(1), fail.signature(2)]).then(sum).onFailure(told).enqueue()
        let first = try await group([fail.signature(1), fail.signature(2), double.signature(3)])
            .then(sum, policy: .firstFailure).onFailure(told).then(double).enqueue()
        store.lose(at: call, after: after)
        try await withWorker(app) { _ in
            #expect(try await good.value(timeout: .seconds(20)) == 8)
            for result in [bad, first] {
                let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
                #expect(error?.type == "ChordError")
            }
            try await eventually("nothing is left") {
                try await broker.queues().allSatisfy { $0.waiting == 0 && $0.leased == 0 }
            }
        }
        // Where the other members have ended before the first failure is told, nothing is left to be called off.
        var counts = sent.counts
        #expect(counts.removeValue(forKey: CallingOff.task) ?? 1 == 1)
        #expect(
            counts == ["double": 5, "fail": 3, "sum": 1, "told": 2],
            "lost \(after ? "after" : "at") call \(call): \(sent.counts)")
        return store.hasLost
    }
}

/// How many messages of each task were sent, as its workers see them: one that comes again is the same, one that was sent again is
/// another one, under whatever id.
private final class SentMessages: WorkerObserver {
    private let tags = Mutex<[String: Set<String>]>([:])

    var counts: [String: Int] { tags.withLock { $0.mapValues(\.count) } }

    func taken(_ deliveries: [Delivery], by hold: WorkerHold) {
        for message in deliveries.compactMap({ try? TaskMessage(decoding: $0.payload) }) {
            _ = tags.withLock { $0[message.task, default: []].insert(message.properties.deliveryTag) }
        }
    }
}

/// A store of results at one of whose calls the worker loses its lease: before the call has done anything, or after it has done all.
private final class LosingStore: JoinStore {
    private let inner = MemoryBroker()
    private let state = Mutex((left: Int?.none, after: false, hasLost: false))

    let location = "memory://results"
    var hasLost: Bool { state.withLock { $0.hasLost } }

    func lose(at call: Int, after: Bool) { state.withLock { $0 = (call, after, false) } }

    private func call<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        let (isNow, after) = state.withLock { state in
            defer { state.left = state.left.map { $0 - 1 } }
            state.hasLost = state.hasLost || state.left == 0
            return (state.left == 0, state.after)
        }
        if isNow, after { _ = try await body() }
        if isNow { throw BrokerError(.leaseLost, "lost") }
        return try await body()
    }

    func store(_ statuses: [StatusRecord]) async throws { try await call { try await inner.store(statuses) } }
    func open(_ joins: [JoinOpening]) async throws { try await call { try await inner.open(joins) } }
    func join(_ part: JoinPart) async throws -> JoinAnswer { try await call { try await inner.join(part) } }
    func ends(of group: String) async throws -> [[UInt8]] { try await call { try await inner.ends(of: group) } }
    func countEnds(of group: String, upTo index: Int?) async throws -> Int {
        try await inner.countEnds(of: group, upTo: index)
    }
    func members(of group: String) async throws -> [UInt8]? { try await inner.members(of: group) }
    func connect() async throws {}
    func status(of id: String) async throws -> TaskStatus? { try await inner.status(of: id) }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { inner.statuses(of: id) }
    func forget(_ id: String) async throws -> Bool { try await inner.forget(id) }
    func shutdown() async {}
}
