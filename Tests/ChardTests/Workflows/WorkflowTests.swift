// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Chard

@Suite("Workflows", .timeLimit(.minutes(2)))
struct WorkflowTests {
    let app: Chard
    let broker: MemoryBroker
    let add: TaskHandle<Int, Int, Int>
    let double: TaskHandle<Int, Int>
    let sum: TaskHandle<Int, [Int]>
    let fail: TaskHandle<Int, Int>
    let note: TaskHandle<Void, JSON>
    let noted = Recorder<String>()

    init() {
        (app, broker) = makeApp()
        add = app.task("add") { (x: Int, y: Int) in x + y }
        double = app.task("double") { (x: Int) in 2 * x }
        sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        fail = app.task("fail") { (_: Int) -> Int in throw TaskError("ValueError", "boom") }
        note = app.task("note") { [noted] (value: JSON) in noted.add(value.string ?? value.description) }
    }

    @Test("a chain: each task takes the result of the one before it")
    func chain() async throws {
        try await withWorker(app) { _ in
            let result = try await add.then(double).then(add, with: 5).enqueue(1, 2)
            #expect(try await result.value(timeout: .seconds(20)) == 11)
        }
        try await broker.expectEmpty()
    }

    @Test("a chain of calls, one of which has all its arguments")
    func immutable() async throws {
        try await withWorker(app) { _ in
            let workflow = try add.signature(1, 2).then(add.signature(10, 20)).then(double)
            #expect(try await workflow.enqueue().value(timeout: .seconds(20)) == 60)
        }
    }

    @Test("a chain that fails in the middle: its rest gets the failure, and the errback the id of what failed")
    func failingChain() async throws {
        let failed = app.task("failed") { [noted] (id: String, word: String) in noted.add("\(word) \(id)") }
        try await withWorker(app) { _ in
            let workflow = try fail.signature(1).then(double).then(double).onFailure(failed, with: "oh")
            let result = try await workflow.enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "ValueError")
            try await eventually("the errback has run") { noted.count == 1 }
            #expect(noted.all.first?.hasPrefix("oh ") == true)
        }
        try await broker.expectEmpty()
    }

    @Test("a group: all results in order; progress, and by its id from elsewhere")
    func aGroup() async throws {
        try await withWorker(app) { _ in
            let result = try await group((0..<20).map { try double.signature($0) }).enqueue()
            #expect(try await result.values(timeout: .seconds(20)) == (0..<20).map { 2 * $0 })
            #expect(try await result.progress().description == "20 of 20 done")
            let again = try #require(try await app.groupResult(of: result.id, returning: Int.self))
            #expect(try await again.values(timeout: .seconds(1)) == (0..<20).map { 2 * $0 })
            #expect(try await app.groupResult(of: "unknown", returning: Int.self) == nil)
        }
    }

    @Test("a group's outcomes come as its members end, failures among them")
    func outcomes() async throws {
        try await withWorker(app) { _ in
            let parts = [try double.signature(1), try fail.signature(2), try double.signature(3)]
            let result = try await group(parts).enqueue()
            var seen: [Int: String] = [:]
            for try await (index, outcome) in result.outcomes(timeout: .seconds(20)) {
                switch outcome {
                case .success(let value): seen[index] = "\(value)"
                case .failure(let error): seen[index] = error.type
                }
            }
            #expect(seen == [0: "2", 1: "ValueError", 2: "6"])
            #expect(try await result.progress().description == "3 of 3 done, 1 failed")
            let error = await thrown(TaskError.self) { try await result.values(timeout: .seconds(1)) }
            #expect(error?.type == "ValueError")
        }
    }

    @Test("a chord: the body gets all results, once")
    func chord() async throws {
        try await withWorker(app, concurrency: 4) { _ in
            let result = try await group((1...50).map { try double.signature($0) }).then(sum).then(add, with: 1)
                .enqueue()
            #expect(try await result.value(timeout: .seconds(20)) == 2551)
        }
        try await broker.expectEmpty()
    }

    @Test("a chord with a failing member: its body fails with ChordError, and so does what follows that")
    func failingChord() async throws {
        try await withWorker(app) { _ in
            let members = [try double.signature(1), try fail.signature(2)]
            let last = try await group(members).then(sum).then(double).enqueue()
            let error = try #require(await thrown(TaskError.self) { try await last.value(timeout: .seconds(20)) })
            #expect(error.type == "ChordError" && error.module == "celery.exceptions")
            #expect(error.message.hasSuffix("raised ValueError('boom')"))
        }
        try await broker.expectEmpty()
    }

    @Test("chords within one another, and a body that ends in a group")
    func nested() async throws {
        try await withWorker(app, concurrency: 4) { _ in
            let inner = try group([try double.signature(1), try double.signature(2)]).then(sum)
            let outer = try group([inner, try add.signature(10, 20).workflow]).then(sum)
            #expect(try await outer.enqueue().value(timeout: .seconds(20)) == 36)

            let fan = try await outer.then(eachOf: [double, double]).enqueue()
            #expect(try await fan.values(timeout: .seconds(20)) == [72, 72])
            let again = try await outer.then(eachOf: [double, double]).then(sum).enqueue()
            #expect(try await again.value(timeout: .seconds(20)) == 144)
        }
        try await broker.expectEmpty()
    }

    @Test("a failure deep in a chord within a chord reaches the outermost body")
    func failingNested() async throws {
        try await withWorker(app) { _ in
            let inner = try group([try double.signature(1), try fail.signature(2)]).then(sum)
            let outer = try group([inner, try add.signature(10, 20).workflow]).then(sum)
            let result = try await group([outer]).then(sum).enqueue()
            let error = await thrown(TaskError.self) { try await result.value(timeout: .seconds(20)) }
            #expect(error?.type == "ChordError")
        }
        try await broker.expectEmpty()
    }

    @Test("callbacks after success, beside the chain")
    func callbacks() async throws {
        let saw = app.task("saw") { [noted] (value: Int, word: String) in noted.add("\(word) \(value)") }
        try await withWorker(app) { _ in
            let workflow = try add.signature(1, 2).onSuccess(saw, with: "a").onSuccess(saw, with: "b").then(double)
            #expect(try await workflow.enqueue().value(timeout: .seconds(20)) == 6)
            try await eventually("both callbacks have run") { noted.count == 2 }
            #expect(noted.all.sorted() == ["a 3", "b 3"])
        }
    }

    @Test("a task over many items, so many in one message")
    func chunks() async throws {
        try await withWorker(app) { _ in
            let result = try await group(double, over: Array(0..<25), inChunksOf: 10).enqueue()
            let values = try await result.values(timeout: .seconds(20))
            #expect(values.map(\.count) == [10, 10, 5])
            #expect(values.flatMap { $0 } == (0..<25).map { 2 * $0 })
        }
    }

    @Test("a step with a countdown is held by the worker's broker on its own queue, and sent at once to any other")
    func countdown() async throws {
        let near = EnqueueOptions(countdown: .seconds(600))
        var far = near
        far.queue = "python"
        try await withWorker(app) { _ in
            for options in [near, far] { _ = try await add.signature(1, 2).then(double, options: options).enqueue() }
            try await eventually("the first steps have run") {
                let reports = try await broker.queues()
                let own = reports.first { $0.queue == "celery" }
                return reports.contains { $0.queue == "python" } && own?.delayed == 1 && own?.leased == 0
            }
            let python = try await broker.queues().first { $0.queue == "python" }
            #expect(python?.waiting == 1 && python?.delayed == 0)
        }
        // What a first step says of it holds, too.
        far.workerHoldsETA = true
        _ = try await add.signature(1, 2, options: far).then(double).enqueue()
        let python = try await broker.queues().first { $0.queue == "python" }
        #expect(python?.waiting == 2 && python?.delayed == 0)
    }

    @Test("`celery.chunks`, as Celery sends it for a callback, sends its group in the step that settles it")
    func builtinChunks() async throws {
        let arguments = Arguments(keywords: ["task": ["task": "sum"], "it": [[[1, 2]], [[3]], [[]]], "n": 2])
        try await withWorker(app) { _ in
            let call = try await app.send("celery.chunks", arguments)
            let group = try await call.value(timeout: .seconds(20))
            let ids = (group[1]?.array ?? []).compactMap { $0[0]?[0]?.string }
            #expect(try await app.result(of: ids[0]).value(timeout: .seconds(20)) == [3, 3])
            #expect(try await app.result(of: ids[1]).value(timeout: .seconds(20)) == [0])
            #expect(try await call.status().children == .array([group]))
            let none = try await app.send("celery.chunks", Arguments(keywords: ["n": 0]))
            let error = await thrown(TaskError.self) { try await none.value(timeout: .seconds(20)) }
            #expect(error?.type == "TypeError")
        }
    }

    @Test("a body is no child of its last member, and its errbacks are its own")
    func belonging() async throws {
        let saw = app.task("saw") { [noted] (id: String) in noted.add(id) }
        try await withWorker(app) { _ in
            let member = EnqueueOptions(id: "member")
            let good = try await group([try double.signature(1, options: member)]).then(sum).enqueue()
            #expect(try await good.value(timeout: .seconds(20)) == 2)
            #expect(try await app.result(of: "member").status().children.array?.count ?? 0 == 0)

            let failing = EnqueueOptions(id: "failing")
            let bad = try await group([try fail.signature(1, options: failing)]).then(sum).onFailure(saw).enqueue()
            _ = await thrown(TaskError.self) { try await bad.value(timeout: .seconds(20)) }
            #expect(try await app.result(of: "failing").status().children.array?.count ?? 0 == 0)
            #expect(try await bad.status().children[0]?[1]?.array?.count == 1)
            try await eventually("the errback has run") { noted.all == [bad.id] }

            // The members of a group that is a body get the error itself. Only Celery writes such a one.
            var (failed, inner) = (Canvas(task: "fail"), Canvas(task: "double"))
            failed.arguments = [JSONText.integer(1)]
            inner.options[.taskID] = JSONText.string("inner")
            var chord = Canvas(chord: [failed], body: Canvas(group: [inner]))
            chord.freeze()
            try await app.send(chord)
            let error = await thrown(TaskError.self) { try await app.result(of: "inner").value(timeout: .seconds(20)) }
            #expect(error?.type == "ValueError")
        }
    }

    @Test("a member that is retried counts once, with its last end")
    func retried() async throws {
        let flaky = app.task("flaky", options: TaskOptions(retry: .constant(maxRetries: 3, delay: .zero))) {
            (context: TaskContext, value: Int) in
            if context.attempt < 3 { throw TaskError("ValueError", "not yet") }
            return value
        }
        try await withWorker(app) { _ in
            let result = try await group((0..<4).map { try flaky.signature($0) }).then(sum).enqueue()
            #expect(try await result.value(timeout: .seconds(20)) == 6)
        }
    }

    @Test("a member that is revoked fails the body, a link that is revoked the rest of its chain")
    func revoked() async throws {
        let members = [try double.signature(1), try double.signature(2, options: EnqueueOptions(id: "gone"))]
        let chord = try await group(members).then(sum).enqueue()
        let chain = try await add.signature(1, 2, options: EnqueueOptions(id: "lost")).then(double).enqueue()
        try await app.operator.revoke(["gone", "lost"])
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await chord.value(timeout: .seconds(20)) }
            #expect(error?.message == "Dependency gone raised TaskRevokedError('revoked')")
            let end = try await chain.finalStatus(timeout: .seconds(20))
            #expect(end.state == .revoked)
        }
    }

    @Test("a member that waits for its time and is revoked: the body is told all the same")
    func revokedDelayed() async throws {
        let later = EnqueueOptions(countdown: .seconds(600), id: "gone")
        let members = [try double.signature(1), try double.signature(2, options: later)]
        let chord = try await group(members).then(sum).enqueue()
        try await app.operator.revoke(["gone"])
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await chord.value(timeout: .seconds(20)) }
            #expect(error?.message == "Dependency gone raised TaskRevokedError('revoked')")
        }
    }

    @Test("a member that goes to the dead letters and is sent again takes the chord on")
    func requeued() async throws {
        let isMended = Mutex(false)
        let options = TaskOptions(retry: .constant(maxRetries: 1, delay: .zero))
        let weak = app.task("weak", options: options) { (value: Int) in
            guard isMended.withLock({ $0 }) else { throw TaskError("ValueError", "weak") }
            return value
        }
        try await withWorker(app) { _ in
            let chord = try await group([try double.signature(1), try weak.signature(5)]).then(sum).enqueue()
            let error = await thrown(TaskError.self) { try await chord.value(timeout: .seconds(20)) }
            #expect(error?.type == "ChordError")
            isMended.withLock { $0 = true }
            let letter = try #require(try await broker.deadLetters(in: nil, limit: 9).first)
            #expect(try await broker.requeueDeadLetter(letter.id))
            try await eventually("the body has run") { try await chord.status().state == .success }
            #expect(try await chord.value(timeout: .seconds(1)) == 7)
        }
    }

    @Test("a member that ends without a result, and one that is refused, fail the body")
    func withoutResult() async throws {
        let ignoring = app.task("ignoring") { (_: Int) -> Int in throw Ignore() }
        let refusing = app.task("refusing") { (_: Int) -> Int in throw Reject("not today") }
        try await withWorker(app) { _ in
            for task in [ignoring, refusing] {
                let chord = try await group([try double.signature(1), try task.signature(2)]).then(sum).enqueue()
                let error = await thrown(TaskError.self) { try await chord.value(timeout: .seconds(20)) }
                #expect(error?.type == "ChordError")
                let chain = try await task.signature(2).then(double).enqueue()
                let failure = await thrown(TaskError.self) { try await chain.value(timeout: .seconds(20)) }
                #expect(failure != nil)
            }
        }
    }

    @Test("with results in another store the same comes of it")
    func elsewhere() async throws {
        let (queue, store) = (MemoryBroker(), MemoryBroker())
        let app = Chard("app", broker: queue, results: store)
        let double = app.task("double") { (x: Int) in 2 * x }
        let sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        let fail = app.task("fail") { (_: Int) -> Int in throw TaskError("ValueError", "boom") }
        try await withWorker(app, concurrency: 4) { _ in
            let good = try await group((0..<10).map { try double.signature($0) }).then(sum).then(double).enqueue()
            #expect(try await good.value(timeout: .seconds(20)) == 180)
            let bad = try await group([try double.signature(1), try fail.signature(2)]).then(sum).enqueue()
            let error = await thrown(TaskError.self) { try await bad.value(timeout: .seconds(20)) }
            #expect(error?.type == "ChordError")
            // A join that a worker opens.
            let late = try await double.signature(1).then(eachOf: [double, double]).then(sum).enqueue()
            #expect(try await late.value(timeout: .seconds(20)) == 8)
        }
        try await queue.expectEmpty()
    }

    @Test("in immediate mode a workflow runs at once")
    func immediate() async throws {
        app.runImmediately()
        let result = try await group((0..<5).map { try double.signature($0) }).then(sum).then(add, with: 1).enqueue()
        #expect(try await result.value(timeout: .zero) == 21)
        let failed = try await group([try fail.signature(1)]).then(sum).enqueue()
        let error = await thrown(TaskError.self) { try await failed.value(timeout: .zero) }
        #expect(error?.type == "ChordError")
    }

    @Test("a body that is a group of thousands is sent by the worker in several steps")
    func wide() async throws {
        let members = (0..<1_500).map { _ in double }
        try await withWorker(app, concurrency: 8) { _ in
            let result = try await add.signature(1, 2).then(eachOf: members).then(sum).enqueue()
            #expect(try await result.value(timeout: .seconds(60)) == 9_000)
        }
        try await broker.expectEmpty()
    }

    @Test("a task that puts a workflow in its place: alone, in a chain, in a chord, and by a group")
    func replaced() async throws {
        let split = app.task("split") { [double, sum] (context: TaskContext, value: Int) -> Int in
            if value < 2 { return value }
            return try context.replace(by: group([try double.signature(value), try double.signature(1)]).then(sum))
        }
        let both = app.task("both") { [double] (context: TaskContext, value: Int) -> [Int] in
            try context.replace(by: group([try double.signature(value), try double.signature(value + 1)]))
        }
        try await withWorker(app) { _ in
            let alone = try await split.enqueue(5)
            #expect(try await alone.value(timeout: .seconds(20)) == 12)
            let chained = try await split.then(add, with: 1).enqueue(5)
            #expect(try await chained.value(timeout: .seconds(20)) == 13)
            let joined = try await group([try split.signature(5), try split.signature(1)]).then(sum).enqueue()
            #expect(try await joined.value(timeout: .seconds(20)) == 13)
            let list = try await both.then(sum).enqueue(10)
            #expect(try await list.value(timeout: .seconds(20)) == 42)
        }
        try await broker.expectEmpty()
    }

    @Test("what cannot be sent is refused at the call")
    func refused() async throws {
        await #expect(throws: AppError.self) { try await group([Signature<JSON>]()).enqueue() }
        let one = try double.signature(1)
        let many = await thrown(AppError.self) { try group((0..<10_000_000).lazy.map { _ in one }) }
        #expect(many?.description.contains("more than 1000000 members") == true)
        var deep = try add.signature(1, 2).workflow
        for _ in 0..<150 { deep = try group([deep]).then(sum) }
        let tooDeep = deep
        await #expect(throws: CanvasError.self) { try await tooDeep.enqueue() }
    }

    @Test("a worker that is lost with a member too often: the body is told")
    func lost() async throws {
        var settings = MemorySettings()
        settings.lease = .milliseconds(50)
        let broker = MemoryBroker(settings: settings)
        let app = Chard("app", broker: broker)
        let sum = app.task("sum") { (values: [Int]) in values.reduce(0, +) }
        let bad = app.task("bad") { (value: Int) in value }
        let chord = try await group([try bad.signature(1)]).then(sum).enqueue()
        for round in 0..<3 {
            let consumer = try await broker.consumer(
                for: Subscription(queues: ["celery"], node: "n@h", concurrency: 1, startedAt: .now))
            let delivery = try #require(try await consumer.claim(upTo: 1).first)
            let id = try TaskMessage(decoding: delivery.payload).id
            if round == 2 { try await consumer.noteLastChance(of: id) }
            try await broker.declareLost(consumer.identity)
        }
        try await withWorker(app) { _ in
            let error = await thrown(TaskError.self) { try await chord.value(timeout: .seconds(20)) }
            #expect(error?.type == "ChordError")
            #expect(error?.message.contains("WorkerLost") == true)
        }
        #expect(try await broker.deadLetters(in: nil, limit: 9).map(\.reason) == [.workerLost])
    }
}

extension MemoryBroker {
    /// Nothing waits and nothing is held.
    func expectEmpty() async throws {
        try await eventually("nothing is left") {
            try await queues().allSatisfy { $0.waiting == 0 && $0.leased == 0 }
        }
    }
}
