// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials
import Synchronization
import TestServers
import Testing

@Suite("A worker on a Redis server", .timeLimit(.minutes(2)))
struct WorkerTests {
    @Test("runs typed tasks and returns typed results")
    func typedResults() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let add = app.task("add", parameters: ["x", .init("y", default: 10)]) { (x: Int, y: Int) in x + y }
            let greet = app.task("greet") { (context: TaskContext, name: String) in
                "\(name) \(context.attempt)"
            }
            let nothing = app.task("nothing") {}
            try await bench.working(app) { _ async throws in
                #expect(try await add.enqueue(2, 3).value(timeout: .seconds(5)) == 5)
                #expect(try await greet.enqueue("you").value(timeout: .seconds(5)) == "you 1")
                try await nothing.enqueue().value(timeout: .seconds(5))
                let byName = try await app.send("add", Arguments([], keywords: ["x": 1]))
                #expect(try await byName.value(timeout: .seconds(5)) == 11)
            }
        }
    }

    @Test("runs a crowd of tasks, each once")
    func crowd() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Mutex<[Int: Int]>([:])
            let note = app.task("note") { (number: Int) in
                runs.withLock { $0[number, default: 0] += 1 }
                return number
            }
            let results = try await app.enqueue((0..<2_000).map { try note.signature($0) })
            try await bench.working(app) { _ async throws in
                for (number, result) in results.enumerated() {
                    #expect(try await result.value(timeout: .seconds(20)) == number)
                }
            }
            #expect(runs.withLock { $0.count } == 2_000)
            #expect(runs.withLock { $0.values.allSatisfy { $0 == 1 } })
            #expect(try await bench.server.cli("LLEN", "celery") == "0")
        }
    }

    @Test("runs a task no sooner than its countdown")
    func countdown() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let now = app.task("now") { Date().timeIntervalSince1970 }
            try await bench.working(app) { _ async throws in
                let sent = Date().timeIntervalSince1970
                let ran = try await now.enqueue(options: .init(countdown: .milliseconds(400)))
                    .value(timeout: .seconds(5))
                #expect(ran >= sent + 0.4)
                #expect(ran < sent + 10)
            }
        }
    }

    @Test("retries with the RETRY status, and fails for good when the retries are used up")
    func retries() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let flaky = app.task(
                "flaky", options: .init(retry: .constant(maxRetries: 2, delay: .milliseconds(50)))
            ) { (context: TaskContext, successes: Int) in
                if context.attempt < successes { throw TaskError("ValueError", "not yet") }
                return context.attempt
            }
            try await bench.working(app) { _ async throws in
                #expect(try await flaky.enqueue(3).value(timeout: .seconds(5)) == 3)
                let lost = try await flaky.enqueue(9)
                let error = await #expect(throws: TaskError.self) {
                    try await lost.value(timeout: .seconds(5))
                }
                #expect(error?.type == "ValueError")
                let letter = try await bench.broker().deadLetter(lost.id)
                #expect(letter?.reason == .retriesExhausted)
                #expect(letter?.attempts == 3)
            }
        }
    }

    @Test("keeps what cannot be run, and goes on")
    func bad() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let add = app.task("add") { (x: Int, y: Int) in x + y }
            let broker = try bench.broker()
            try await broker.send([OutgoingMessage(id: "", queue: "celery", payload: Array("{nonsense".utf8))])
            let unknown = try await app.send("nobody.knows")
            let wrong = try await app.send("add", Arguments([1, "two"]))
            let few = try await app.send("add", Arguments([1]))
            try await bench.working(app) { _ async throws in
                for (result, type, reason) in [
                    (unknown, "NotRegistered", DeadLetter.Reason.notRegistered), (wrong, "TypeError", .badArguments),
                    (few, "TypeError", .badArguments),
                ] {
                    let error = await #expect(throws: TaskError.self) { try await result.value(timeout: .seconds(5)) }
                    #expect(error?.type == type)
                    #expect(try await broker.deadLetter(result.id)?.reason == reason)
                }
                #expect(try await add.enqueue(2, 3).value(timeout: .seconds(5)) == 5)
            }
            let letters = try await broker.deadLetters(in: "celery", limit: 10)
            #expect(letters.contains { $0.reason == .malformed && $0.payload == Array("{nonsense".utf8) })
            #expect(letters.count == 4)
        }
    }

    @Test("serves queues in turn, and the urgent first within each")
    func order() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let seen = Mutex<[String]>([])
            let note = app.task("note") { (text: String) in seen.withLock { $0.append(text) } }
            for (text, queue, priority) in [
                ("a9", "a", 9), ("a0", "a", 0), ("b3", "b", 3), ("a1", "a", 1), ("b0", "b", 0),
            ] {
                try await note.enqueue(text, options: .init(queue: queue, priority: priority))
            }
            let options = WorkerOptions(queues: ["a", "b"], concurrency: 1, drains: true)
            try await bench.working(app, options) { _ async throws in
                try await eventually("all have run") { seen.withLock { $0.count } == 5 }
            }
            let order = seen.withLock { $0 }
            #expect(order.suffix(2) == ["b3", "a9"])
            #expect(Set(order.prefix(3)) == ["a0", "a1", "b0"])
            #expect(order.firstIndex(of: "a0") ?? 9 < order.firstIndex(of: "a1") ?? 0)
        }
    }

    @Test("hands back what it could not finish in its grace period, to the front, in order, uncounted")
    func handBack() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let started = Mutex(0)
            let slow = app.task("slow") { (number: Int) in
                started.withLock { $0 += 1 }
                try await Task.sleep(for: .seconds(60))
            }
            for number in 0..<4 { try await slow.enqueue(number) }
            try await bench.working(app, .init(concurrency: 2, gracePeriod: .milliseconds(300))) { _ async throws in
                try await eventually("two have started") { started.withLock { $0 } == 2 }
            }
            let consumer = try await bench.consumer()
            let deliveries = try await consumer.claim(upTo: 10)
            let messages = try deliveries.map { try TaskMessage(decoding: $0.payload) }
            #expect(messages.map(\.losses) == [0, 0, 0, 0])
            #expect(try messages.map { try $0.decodeBody().arguments().positional } == [[0], [1], [2], [3]])
            await consumer.close()
        }
    }

    @Test("queues come and go under load, and each message runs exactly once, with no loss counted")
    func queueChanges() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let runs = Mutex<[String: Int]>([:])
            let names = ["a", "b", "c"]
            let note = app.task("note", options: TaskOptions(ignoresResult: true)) { (context: TaskContext, x: Int) in
                if x % 50 == 0 { try await Task.sleep(for: .milliseconds(20)) }
                runs.withLock { $0["\(x)/\(context.losses)", default: 0] += 1 }
            }
            let count = 3_000
            try await bench.working(app, WorkerOptions(queues: names, concurrency: 4)) { worker async throws in
                async let sending: Void = {
                    for start in stride(from: 0, to: count, by: 60) {
                        try await app.enqueue(
                            (start..<start + 60).map { try note.signature($0, options: .init(queue: names[$0 % 3])) })
                        try await Task.sleep(for: .milliseconds(10))
                    }
                }()
                for step in 0..<30 {
                    let name = names[step % 3]
                    if worker.queues.contains(name), worker.queues.count > 1 {
                        try worker.cancel(consuming: name)
                    } else {
                        try worker.consume(name)
                    }
                    try await Task.sleep(for: .milliseconds(step % 4 * 10))
                }
                try worker.setQueues(names)
                try await sending
                try await eventually("all are done", within: .seconds(30)) { worker.vitals.done == count }
                try await eventually("one hold is left") { try await bench.broker().workers().count == 1 }
            }
            #expect(runs.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<count).map { ("\($0)/0", 1) }))
            #expect(try await bench.server.cli("KEYS", "chard:*:leased:*") == "")
        }
    }
}
