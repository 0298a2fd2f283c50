// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import TestServers
import Testing
import Tracing

@testable import Chard

@Suite("Traces", .fewAtATime, .timeLimit(.minutes(2)))
struct TraceTests {
    let tracer = RecordingTracer()
    let app: Chard
    let broker: MemoryBroker

    init() {
        (app, broker) = makeApp()
    }

    @Test("a call and its run are spans of one trace, the run a child of the call, and what it sends its grandchild")
    func spans() async throws {
        let inner = app.task("shop.inner") { () in 1 }
        let outer = app.task("shop.outer") { () in try await inner.enqueue().id }
        try await withTracer(tracer) {
            try await withSpan("request") { _ in
                try await withWorker(app) { _ in
                    let id = try await outer.enqueue().value(timeout: .seconds(20))
                    _ = try await app.result(of: id).value(timeout: .seconds(20))
                    try await eventually("all spans have ended") { tracer.ended.count == 4 }
                }
            }
        }
        let request = try #require(tracer.span("request"))
        let call = try #require(tracer.span("apply_async/shop.outer"))
        let run = try #require(tracer.span("run/shop.outer"))
        let nested = try #require(tracer.span("apply_async/shop.inner"))
        let last = try #require(tracer.span("run/shop.inner"))
        #expect(call.parent == request.name && run.parent == call.name)
        #expect(nested.parent == run.name && last.parent == nested.name)
        #expect(Set(tracer.ended.map(\.name.trace)).count == 1)
        #expect((call.kind, run.kind) == (.producer, .consumer))
        #expect(run.text("celery.task_name") == "shop.outer" && run.text("celery.state") == "SUCCESS")
        #expect(run.text("messaging.destination.name") == "celery" && run.text("celery.hostname") == "test@here")
    }

    @Test("a failure marks its span, and the next of a chain is a child of the run before it")
    func chains() async throws {
        let first = app.task("first") { (x: Int) in x + 1 }
        let second = app.task("second") { (_: Int) -> Int in throw TaskError("ValueError", "no") }
        try await withTracer(tracer) {
            try await withWorker(app) { _ in
                let result = try await first.then(second).enqueue(1)
                await #expect(throws: TaskError.self) { try await result.value(timeout: .seconds(20)) }
                try await eventually("both runs have ended") { tracer.span("run/second") != nil }
            }
        }
        let before = try #require(tracer.span("run/first"))
        let failed = try #require(tracer.span("run/second"))
        #expect(failed.parent == before.name)
        #expect(failed.status?.code == .error && failed.errors.first?.contains("no") == true)
        #expect(failed.text("celery.state") == "FAILURE")
    }

    @Test("where nobody traces, what a task sends and what follows it belong to the trace of its message")
    func passedOn() async throws {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let headers: [String: JSON] = ["traceparent": .string(parent), "tracestate": "a=b"]
        let seen = Recorder<String>()
        let leaf = app.task("leaf") { (context: TaskContext, name: String) in
            let trace = ["traceparent", "tracestate"].map { context.headers[$0]?.string ?? "-" }
            seen.add("\(name) \(trace.joined(separator: " "))")
            return name
        }
        let own = "00-11111111111111111111111111111111-b7ad6b7169203331-01"
        let sending = app.task("sending") { () in
            try await leaf.enqueue("sent")
            try await leaf.enqueue("own", options: EnqueueOptions(headers: ["traceparent": .string(own)]))
            return "next"
        }
        try await withWorker(app) { _ in
            try await sending.signature(options: EnqueueOptions(headers: headers)).then(leaf).enqueue()
            try await eventually("all have run") { seen.all.count == 3 }
        }
        #expect(seen.all.sorted() == ["next \(parent) a=b", "own \(own) -", "sent \(parent) a=b"])
    }

    @Test("the lines of a task's log have the id of its trace")
    func logs() async throws {
        let log = RecordingLog()
        app.add(observer: TaskLog(app, logger: log.logger(.info)))
        let task = app.task("t") { () in 1 }
        try await withTracer(tracer) {
            try await withWorker(app) { _ in _ = try await task.enqueue().value(timeout: .seconds(20)) }
        }
        let trace = try #require(tracer.span("run/t")).name.trace
        #expect(log.lines.map { $0["trace_id"] } == [trace], "\(log.lines)")
    }
}
