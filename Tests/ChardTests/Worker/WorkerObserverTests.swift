// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("What observers of a worker are told", .fewAtATime, .timeLimit(.minutes(3)))
struct WorkerObserverTests {
    /// Writes down what it is told, one word after the other.
    final class Witness: WorkerObserver {
        let words = Recorder<String>()
        let durations = Recorder<Duration>()
        private let ended = Recorder<Delivery>()

        func workerStarted(_ node: String) { words.add("\(node) started") }
        func workerStopped(_ node: String, error: (any Error)?) {
            words.add("stopped" + (error.map { ": \($0)" } ?? ""))
        }
        func holdOpened(_ hold: WorkerHold) { words.add("opened \(hold.queues.joined(separator: ","))") }
        func leaseLost(_ hold: WorkerHold) { words.add("lease lost") }
        func holdClosed(_ hold: WorkerHold) { words.add("closed") }
        func taken(_ deliveries: [Delivery], by hold: WorkerHold) { words.add("taken \(deliveries.count)") }
        func runStarted(_ message: TaskMessage, _ delivery: Delivery, by hold: WorkerHold) {
            words.add("run \(message.task)")
        }
        func ended(
            _ outcome: Outcome, of message: TaskMessage?, _ delivery: Delivery, after duration: Duration,
            by hold: WorkerHold
        ) {
            let what =
                switch outcome {
                case .success(let json): "success \(json.text)"
                case .failure(let error, _): "failure \(error.type)"
                case .retry: "retry"
                case .revoked(let word): word
                case .unreadable: "unreadable"
                case .returned: "returned"
                default: "\(outcome)"
                }
            words.add("ended \(message?.task ?? "?"): \(what)")
            durations.add(duration)
            ended.add(delivery)
        }
        func settled(_ delivery: Delivery, _ receipt: Receipt, by hold: WorkerHold) {
            words.add(ended.all.contains(delivery) ? "\(receipt.end)" : "handed back")
        }

        /// All that was told, without what was handed back unstarted and taken again: a session does so when its slots get no
        /// thread for half a second, as happens beside tests that compute on all of them.
        var story: [String] {
            words.all.reduce(into: []) { story, word in
                if word == "handed back", let taken = story.lastIndex(of: "taken 1") {
                    story.remove(at: taken)
                } else {
                    story.append(word)
                }
            }
        }

        /// What came between the start and the end of the worker.
        var inBetween: [String] { Array(story.dropFirst(2).dropLast(2)) }
    }

    let app: Chard
    let broker: MemoryBroker
    let witness = Witness()

    init() {
        (app, broker) = makeApp()
        app.add(observer: witness)
    }

    /// Runs one message to its end.
    private func afterOne(_ count: Int = 1) async throws -> [String] {
        try await withWorker(app) { worker in
            try await eventually("all is settled") { witness.words.all.count { $0 == "settled" } == count }
        }
        return witness.inBetween
    }

    @Test("a success: start, hold, delivery, run, end, settlement, and the end of it all")
    func success() async throws {
        try await app.task("t") { () in
            try await Task.sleep(for: .milliseconds(20))
            return 7
        }.enqueue()
        _ = try await afterOne()
        #expect(
            witness.story == [
                "opened celery", "test@here started", "taken 1", "run t", "ended t: success 7", "settled", "closed",
                "stopped",
            ])
        #expect(witness.durations.all[0] >= .milliseconds(20))
    }

    @Test("a failure")
    func failure() async throws {
        try await app.task("t") { () in throw TaskError("ValueError", "no") }.enqueue()
        #expect(try await afterOne() == ["taken 1", "run t", "ended t: failure ValueError", "settled"])
    }

    @Test("a retry and its next attempt")
    func retry() async throws {
        let policy = RetryPolicy.constant(maxRetries: 1, delay: .zero)
        try await app.task("t", options: TaskOptions(retry: policy)) { (context: TaskContext) in
            if context.attempt == 1 { throw TaskError("ValueError", "no") }
        }.enqueue()
        let told = try await afterOne(2)
        // The next attempt may run before the settlement that sent it has been answered.
        #expect(
            told.filter { $0 != "settled" } == [
                "taken 1", "run t", "ended t: retry", "taken 1", "run t", "ended t: success null",
            ])
    }

    @Test("what does not run has no start: revoked, expired, unreadable, unknown")
    func notRun() async throws {
        app.task("t") { () in 1 }
        try await app.operator.revoke([try await app.send("t").id])
        #expect(try await afterOne() == ["taken 1", "ended t: revoked", "settled"])
    }

    @Test("expired")
    func expired() async throws {
        app.task("t") { () in 1 }
        try await app.send("t", options: EnqueueOptions(expiresAt: Date() - 60))
        #expect(try await afterOne() == ["taken 1", "ended t: expired", "settled"])
    }

    @Test("unreadable")
    func unreadable() async throws {
        try await broker.send([OutgoingMessage(id: "x", queue: "celery", payload: Array("{nonsense".utf8))])
        #expect(try await afterOne() == ["taken 1", "ended ?: unreadable", "settled"])
    }

    @Test("unknown")
    func unknown() async throws {
        try await app.send("nobody.knows")
        #expect(try await afterOne() == ["taken 1", "ended nobody.knows: failure NotRegistered", "settled"])
    }

    @Test("a hard time limit ends a run once, whatever its body does")
    func timeLimit() async throws {
        let gate = Gate()
        try await app.task("t", options: TaskOptions(timeLimit: .milliseconds(30))) { () in
            await gate.passStubbornly()
        }.enqueue()
        try await withWorker(app) { worker in
            try await eventually("it is settled") { worker.vitals.done == 1 }
            gate.open()
            try await eventually("its body has ended") { worker.vitals.running.isEmpty }
        }
        #expect(witness.inBetween == ["taken 1", "run t", "ended t: failure TimeLimitExceeded", "settled"])
    }

    @Test("a lost lease: told before the run ends, nothing of it is settled, and there is a hold again")
    func leaseLost() async throws {
        let gate = Gate()
        let task = app.task("t") { (context: TaskContext) in
            if context.losses == 0 { try await gate.pass() }
        }
        try await withWorker(app) { worker in
            let result = try await task.enqueue()
            try await eventually("it runs") { gate.arrivals == 1 }
            try await broker.loseConsumers()
            try await result.value(timeout: .seconds(20))
            try await eventually("it is settled") { witness.words.all.contains("settled") }
        }
        #expect(
            witness.inBetween == [
                "taken 1", "run t", "lease lost", "ended t: returned", "closed", "opened celery", "taken 1", "run t",
                "ended t: success null", "settled",
            ])
    }

    @Test("a stop: what runs has ended as returned, and is not settled, and the worker's end is the last word")
    func stop() async throws {
        let gate = Gate()
        let task = app.task("t") { () in try await gate.pass() }
        try await withWorker(app) { worker in
            try await task.enqueue()
            try await eventually("it runs") { gate.arrivals == 1 }
        }
        #expect(witness.inBetween == ["taken 1", "run t", "ended t: returned"])
        #expect(witness.words.all.suffix(2) == ["closed", "stopped"])
    }

    @Test("an error that ends the worker, and attempts to open a hold that fail")
    func errors() async throws {
        let broker = RecordingConsumerBroker()
        let app = Chard("app", broker: broker)
        app.add(observer: witness)
        let task = app.task("t") { () in 1 }
        broker.failSettling(with: BrokerError(.damaged, "what is this"))
        try await task.enqueue()
        await #expect(throws: BrokerError.self) {
            try await Worker(app, options: WorkerOptions(concurrency: 1), logger: quietLogger).run()
        }
        #expect(witness.words.all.suffix(2) == ["closed", "stopped: what is this"])
    }
}
