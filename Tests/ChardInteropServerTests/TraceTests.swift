// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import Logging
import TestServers
import Testing
import Tracing

/// One trace through Swift and Python, whose worker is traced by OpenTelemetry's own instrumentation of Celery.
@Suite("Traces through both languages", .serialized, .timeLimit(.minutes(3)))
struct TraceTests {
    private struct PythonSpan: Decodable {
        let name, trace, span, kind: String
        let parent: String?
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Interop").standardizedFileURL.path

    /// A server and a traced Python worker on it; the body is given what reads the spans that have ended in Python.
    private func withTracedPython(
        _ body: (RedisServer, _ spans: @Sendable () throws -> [PythonSpan]) async throws -> Void
    ) async throws {
        let file = FileManager.default.temporaryDirectory.path + "/spans-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await RedisServer.with { server in
            let python = try Program(
                Program.python(),
                ["-m", "celery", "-A", "traced", "worker", "-P", "solo", "-l", "INFO", "-n", "py@python"],
                environment: [
                    "BROKER_URL": server.url, "PYTHONPATH": Self.folder, "PYTHONDONTWRITEBYTECODE": "1", "SPANS": file,
                ])
            try await python.says("ready.")
            try await body(server) {
                guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return [] }
                return try text.split(separator: "\n").map {
                    try JSONDecoder().decode(PythonSpan.self, from: Data($0.utf8))
                }
            }
            python.signal(15)
            try await python.finished()
        }
    }

    @Test("a request in Swift, a task in Python that it calls, and a task in Swift that this one calls are one trace")
    func oneTrace() async throws {
        try await withTracedPython { server, spans in
            let tracer = RecordingTracer()
            let broker = RedisBroker(try RedisURL(server.url))
            let app = Chard("test", broker: broker)
            app.task("swift.leaf") { (context: TaskContext, x: Int) in
                context.logger[metadataKey: "trace_id"].map { "\($0)" } ?? "none"
            }
            let worker = Worker(app, options: WorkerOptions(queues: ["swift"], concurrency: 1))
            let logged = try await withTracer(tracer) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await worker.run() }
                    let logged = try await withSpan("request") { _ in
                        let id = try await app.send("interop.pass_on", Arguments(["swift.leaf", "swift", [1]]))
                            .value(timeout: .seconds(30)).string
                        return try await app.result(of: try #require(id)).value(timeout: .seconds(30)).string
                    }
                    try await eventually("all spans have ended") {
                        try tracer.span("run/swift.leaf") != nil && spans().count == 2
                    }
                    worker.stop(.gracefully)
                    try await group.waitForAll()
                    return logged
                }
            }
            let request = try #require(tracer.span("request")).name
            let call = try #require(tracer.span("apply_async/interop.pass_on"))
            let python = try spans()
            let run = try #require(python.first { $0.name == "run/interop.pass_on" })
            let sent = try #require(python.first { $0.name == "apply_async/swift.leaf" })
            let leaf = try #require(tracer.span("run/swift.leaf"))
            #expect(call.parent == request)
            #expect(run.parent == call.name.span && run.kind == "CONSUMER")
            #expect(sent.parent == run.span && sent.kind == "PRODUCER")
            #expect(leaf.parent?.span == sent.span)
            #expect(Set([request.trace, run.trace, sent.trace, leaf.name.trace]).count == 1)
            #expect(logged == request.trace)
            await broker.shutdown()
        }
    }

    @Test("a Swift worker without a tracer passes the trace of its message on to Python")
    func passedOn() async throws {
        try await withTracedPython { server, spans in
            let broker = RedisBroker(try RedisURL(server.url))
            let app = Chard("test", broker: broker)
            app.task("swift.middle") { () in
                try await app.send("interop.add", Arguments([1, 2])).value(timeout: .seconds(30))
            }
            let worker = Worker(app, options: WorkerOptions(queues: ["swift"], concurrency: 1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                let id = try await app.send("interop.pass_on", Arguments(["swift.middle", "swift", []]))
                    .value(timeout: .seconds(30)).string
                #expect(try await app.result(of: try #require(id)).value(timeout: .seconds(30)) == 3)
                try await eventually("all spans have ended") { try spans().count == 3 }
                worker.stop(.gracefully)
                try await group.waitForAll()
            }
            let all = try spans()
            let sent = try #require(all.first { $0.name == "apply_async/swift.middle" })
            let add = try #require(all.first { $0.name == "run/interop.add" })
            #expect(add.parent == sent.span && add.trace == sent.trace)
            await broker.shutdown()
        }
    }
}
