// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Foundation
import GRDB
import Synchronization
import TestServers
import Testing
import Tracing

@Suite("Tasks in the transaction of an app", .timeLimit(.minutes(1)))
struct OutboxTests {
    private struct Fixture {
        let app: Chard
        let database: DatabasePool
        let outbox: Outbox
        let note: TaskHandle<Int, Int>
        var broker: any Broker { get throws { try app.broker } }

        func waiting() async throws -> [String] {
            guard let broker = try broker as? any PeekableBroker else { return [] }
            return try await broker.waitingMessages(in: "celery", from: 0, limit: 100, messageLimit: 1_000)
                .compactMap { $0.task.id }
        }
    }

    private func with(
        sameFile: Bool, takeover: Duration = .seconds(15), broker: (any Broker)? = nil,
        _ body: (Fixture) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/outbox-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = broker ?? SQLiteBroker(SQLiteLocation(path: folder + (sameFile ? "/app.db" : "/tasks.db")))
        try await broker.connect()
        let app = Chard("outbox", broker: broker)
        let note = app.task("note") { (number: Int) in number }
        // As the documentation of the outbox asks for: workers write to the same file.
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        let database = try DatabasePool(path: folder + "/app.db", configuration: configuration)
        let outbox = try Outbox(app, in: database, takeover: takeover)
        try await body(Fixture(app: app, database: database, outbox: outbox, note: note))
        await broker.shutdown()
    }

    private struct Rollback: Error {}

    @Test(
        "what is committed waits in the broker's own file at once; what is rolled back never was",
        arguments: [true, false])
    func commits(sameFile: Bool) async throws {
        try await with(sameFile: sameFile) { fixture in
            try await fixture.database.write { db in
                try fixture.outbox.enqueue(fixture.note.signature(1, id: "one"), in: db)
                try fixture.outbox.enqueue(fixture.note.signature(2, in: .seconds(60), id: "later"), in: db)
            }
            await #expect(throws: Rollback.self) {
                try await fixture.database.write { db in
                    try fixture.outbox.enqueue(fixture.note.signature(3, id: "never"), in: db)
                    throw Rollback()
                }
            }
            #expect(try await fixture.outbox.count() == (sameFile ? 0 : 2))
            if !sameFile { #expect(try await fixture.outbox.relay() == 2) }
            #expect(try await fixture.waiting() == ["one"])
            #expect(try await fixture.app.find("later")?.state == "delayed")
            #expect(try await fixture.app.find("never") == nil)
            #expect(try await fixture.outbox.count() == 0)
        }
    }

    @Test(
        "a call inside a span is a span of that trace, and its run a child of it, whoever relays it",
        arguments: [true, false])
    func traced(sameFile: Bool) async throws {
        let tracer = RecordingTracer()
        try await withTracer(tracer) {
            try await with(sameFile: sameFile) { fixture in
                let call = try await withSpan("request") { _ in
                    try await fixture.database.write { db in
                        try fixture.outbox.enqueue(fixture.note.signature(1), in: db)
                    }
                }
                // By a process that knows nothing of the request.
                #expect(try await Task.detached { try await fixture.outbox.relay() }.value == (sameFile ? 0 : 1))
                let worker = Worker(fixture.app, options: WorkerOptions(concurrency: 1))
                let running = Task { try await worker.run() }
                #expect(try await call.value(timeout: .seconds(10)) == 1)
                worker.stop(.gracefully)
                try await running.value
            }
        }
        let request = try #require(tracer.span("request"))
        let sent = try #require(tracer.span("apply_async/note"))
        let run = try #require(tracer.span("run/note"))
        #expect(sent.parent == request.name && run.parent == sent.name)
    }

    @Test(
        "where nobody traces, what a task leaves in an outbox belongs to the trace of its message",
        arguments: [true, false])
    func passedOn(sameFile: Bool) async throws {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try await with(sameFile: sameFile) { fixture in
            let leaf = fixture.app.task("leaf") { (context: TaskContext) in
                context.headers["traceparent"]?.string ?? "-"
            }
            let sending = fixture.app.task("sending") { () in
                try await fixture.database.write { db in try fixture.outbox.enqueue(leaf.signature(), in: db).id }
            }
            let worker = Worker(fixture.app, options: WorkerOptions(concurrency: 1))
            let running = Task { try await worker.run() }
            let options = EnqueueOptions(headers: ["traceparent": .string(parent)])
            let id = try await sending.enqueue(options: options).value(timeout: .seconds(10))
            if !sameFile { #expect(try await fixture.outbox.relay() == 1) }
            #expect(try await fixture.app.result(of: id).value(timeout: .seconds(10)) == .string(parent))
            worker.stop(.gracefully)
            try await running.value
        }
    }

    @Test(
        "who is to hold a task until its time is known to the broker, however it gets there", arguments: [true, false])
    func holders(sameFile: Bool) async throws {
        try await with(sameFile: sameFile) { fixture in
            // As the table was before it knew of this.
            try await fixture.database.write {
                try $0.execute(sql: "ALTER TABLE chard_outbox DROP COLUMN workerHoldsETA")
            }
            let outbox = try Outbox(fixture.app, in: fixture.database)
            let eta = Date(timeIntervalSinceNow: 60)
            try await fixture.database.write { db in
                for (id, workerHoldsETA) in [("worker", true), ("broker", false), ("either", nil)] as [(String, Bool?)]
                {
                    let options = EnqueueOptions(eta: eta, id: id, workerHoldsETA: workerHoldsETA)
                    try outbox.enqueue(fixture.note.signature(1, options: options), in: db)
                }
            }
            while try await outbox.relay() > 0 {}
            #expect(try await fixture.waiting() == ["worker"])
            #expect(try await fixture.app.find("broker")?.state == "delayed")
            #expect(try await fixture.app.find("either")?.state == "delayed")
        }
    }

    @Test("a worker that waits hears of it at once, and the caller gets the result", arguments: [true, false])
    func wakes(sameFile: Bool) async throws {
        try await with(sameFile: sameFile) { fixture in
            let worker = Worker(fixture.app, options: WorkerOptions(concurrency: 1))
            let running = Task { try await worker.run() }
            let relaying = Task { try await fixture.outbox.run() }
            let first = try await fixture.note.enqueue(0)
            #expect(try await first.value(timeout: .seconds(10)) == 0)
            let start = ContinuousClock.now
            let result = try await fixture.database.write { db in
                try fixture.outbox.enqueue(fixture.note.signature(7), in: db)
            }
            #expect(try await result.value(timeout: .seconds(10)) == 7)
            #expect(ContinuousClock.now - start < .milliseconds(700), "it was looked for, not told of")
            relaying.cancel()
            worker.stop(.gracefully)
            try await running.value
            _ = try? await relaying.value
        }
    }

    @Test("what is in doubt is sent only if the broker does not know it")
    func doubt() async throws {
        try await with(sameFile: false, takeover: .milliseconds(1)) { fixture in
            try await fixture.database.write { db in
                for id in ["sent", "unsent"] { try fixture.outbox.enqueue(fixture.note.signature(1, id: id), in: db) }
            }
            // As a process leaves it that was killed behind one of two sends.
            try await fixture.note.enqueue(1, id: "sent")
            try await fixture.database.write { try $0.execute(sql: "UPDATE chard_outbox SET taken = 0") }
            try await Task.sleep(for: .milliseconds(5))
            while try await fixture.outbox.relay() > 0 {}
            #expect(try await fixture.waiting().sorted() == ["sent", "unsent"])
        }
    }

    @Test(
        "middleware stands around what is sent, also where the file is the same; what it refuses is kept, and holds up nothing"
    )
    func middleware() async throws {
        struct Picky: Middleware {
            func enqueue(
                _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
            ) async throws -> Enqueued {
                if messages.contains(where: { $0.id == "bad" }) { throw TaskError("ValueError", "not this one") }
                return try await next(messages)
            }
        }
        try await with(sameFile: true) { fixture in
            fixture.app.add(Picky())
            try await fixture.database.write { db in
                for id in ["a", "bad", "b"] { try fixture.outbox.enqueue(fixture.note.signature(1, id: id), in: db) }
            }
            #expect(try await fixture.outbox.count() == 3)
            while try await fixture.outbox.relay() > 0 {}
            #expect(try await fixture.waiting().sorted() == ["a", "b"])
            #expect(try await fixture.outbox.count() == 1)
        }
    }

    @Test("outside of a transaction, or with a call that makes no sense, it says what is wrong")
    func mistakes() async throws {
        try await with(sameFile: false) { fixture in
            await #expect(throws: AppError.self) {
                try await fixture.database.writeWithoutTransaction { db in
                    _ = try fixture.outbox.enqueue(fixture.note.signature(1), in: db)
                }
            }
            await #expect(throws: AppError.self) {
                try await fixture.database.write { db in
                    _ = try fixture.outbox.enqueue(fixture.note.signature(1, priority: 77), in: db)
                }
            }
            let count = try await fixture.outbox.count()
            #expect(count == 0)
        }
    }
}
