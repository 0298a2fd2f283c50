// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Ways to results", .timeLimit(.minutes(1)))
struct AsyncResultTests {
    let app: Chard
    let broker: MemoryBroker
    let task: TaskHandle<Int>

    init() {
        (app, broker) = makeApp()
        task = app.task("t") { () in 1 }
    }

    private func store(_ status: TaskStatus) async throws {
        try await broker.store([StatusRecord(status, timeToLive: .seconds(60))])
    }

    @Test("nothing stored is PENDING")
    func pending() async throws {
        let result = task.result(of: "id")
        #expect(try await result.status().state == .pending)
        #expect(try await result.status().id == "id")
        #expect(result.description == "id")
    }

    @Test("a stored result is there at once, typed or not")
    func there() async throws {
        try await store(TaskStatus(id: "id", state: .success, result: Array("42".utf8)))
        #expect(try await task.result(of: "id").value() == 42)
        #expect(try await app.result(of: "id").value(timeout: .seconds(5)) == 42)
        #expect(try await task.result(of: "id").finalStatus().state == .success)
    }

    @Test("a result that comes later ends the wait, states on the way do not")
    func later() async throws {
        let result = task.result(of: "id")
        async let value = result.value(timeout: .seconds(20))
        try await store(TaskStatus(id: "id", state: .started))
        try await store(TaskStatus(id: "id", state: .retry, result: Array(#"{"exc_type":"E","exc_message":[]}"#.utf8)))
        try await store(TaskStatus(id: "id", state: .success, result: Array("7".utf8)))
        #expect(try await value == 7)
    }

    @Test("failure and revocation throw what is stored")
    func failed() async throws {
        try await store(
            TaskStatus(
                id: "a", state: .failure, result: Array(#"{"exc_type":"KeyError","exc_message":["k"]}"#.utf8),
                traceback: "tb"))
        let failure = await thrown(TaskError.self) { try await task.result(of: "a").value() }
        #expect(failure?.description == "KeyError: k")
        #expect(failure?.traceback == "tb")
        #expect(failure?.taskID == "a")
        try await store(TaskStatus(id: "b", state: .revoked, result: Array("null".utf8)))
        let revoked = await thrown(TaskError.self) { try await task.result(of: "b").value() }
        #expect(revoked?.type == "REVOKED")
        #expect(try await task.result(of: "b").finalStatus().state == .revoked)
    }

    @Test("a result of another type throws rather than misleads")
    func wrongType() async throws {
        try await store(TaskStatus(id: "id", state: .success, result: Array("\"x\"".utf8)))
        await #expect(throws: DecodingError.self) { try await task.result(of: "id").value() }
    }

    @Test("no result in time is a timeout that names the task")
    func timeout() async {
        let error = await thrown(ResultTimeout.self) {
            try await task.result(of: "id").value(timeout: .milliseconds(20))
        }
        #expect(error?.id == "id")
        #expect(error?.waited == .milliseconds(20))
        #expect(error?.description.hasPrefix("no result of task id within 0.02 seconds") == true)
    }

    @Test("waiting ends with its task")
    func cancelled() async throws {
        let result = task.result(of: "id")
        for timeout in [nil, Duration.seconds(60)] {
            let waiter = Task { try await result.value(timeout: timeout) }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
        }
    }

    @Test("a call that keeps no result says so at once")
    func ignored() async throws {
        let result = try await task.enqueue(options: EnqueueOptions(ignoresResult: true))
        let error = await thrown(AppError.self) { try await result.value() }
        #expect(error?.description.contains("was sent with ignoresResult") == true)
    }

    @Test("a store of somebody else's is waited on by its stream")
    func otherStore() async throws {
        let app = Chard("test", broker: broker, results: PlainStore(inner: broker))
        let result = app.task("t") { 1 }.result(of: "id")
        async let value = result.value(timeout: .seconds(20))
        try await store(TaskStatus(id: "id", state: .started))
        try await store(TaskStatus(id: "id", state: .success, result: Array("7".utf8)))
        #expect(try await value == 7)
        let endless = app.task("u") { 1 }.result(of: "ended")
        let error = await thrown(BrokerError.self) { try await endless.value() }
        #expect(error?.code == .closed)
    }

    @Test("forgetting tells whether there was anything")
    func forget() async throws {
        try await store(TaskStatus(id: "id", state: .success, result: Array("42".utf8)))
        let result = task.result(of: "id")
        #expect(try await result.forget())
        #expect(try await !result.forget())
        #expect(try await result.status().state == .pending)
    }
}

/// A result store that knows of streams only; that of the id "ended" ends at once.
private struct PlainStore: ResultStore {
    let inner: MemoryBroker

    var location: String { inner.location }
    func connect() async throws { try await inner.connect() }
    func store(_ statuses: [StatusRecord]) async throws { try await inner.store(statuses) }
    func status(of id: String) async throws -> TaskStatus? { try await inner.status(of: id) }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> {
        id == "ended" ? AsyncThrowingStream { $0.finish() } : inner.statuses(of: id)
    }
    func forget(_ id: String) async throws -> Bool { try await inner.forget(id) }
    func shutdown() async { await inner.shutdown() }
}
