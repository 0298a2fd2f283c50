// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import Synchronization
import TestServers
import Testing
import Tracing

/// One task that fails, loses its worker on the second attempt, fails once more, and succeeds: whoever is asked tells the same.
///
/// With `CHARD_TEST_STORY`, a folder, what they told is left there; docs/operating.md shows it.
@Suite("The story of one task", .timeLimit(.minutes(3)))
struct StoryTests {
    private static let id = "order-1042"
    private static let series = #"{queue="celery",task="shop.charge"}"#

    /// A supervisor with two processes, Flower, and who has called.
    private struct Stage {
        let shop: Program
        let flower: String
        let app: Chard
        let spans: String
        let environment: [String: String]

        func asked(_ words: String...) async throws -> String {
            let program = try Program("FaultWorker", words, environment: environment)
            try await program.finished()
            return program.output
        }
    }

    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/story-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let interop = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Interop").standardizedFileURL.path
        try await RedisServer.with { server in
            let (port, spans) = (try FreePort.find(), folder + "/spans")
            let flower = try Program(
                Program.python(), ["-m", "celery", "-A", "peer", "flower", "--address=127.0.0.1", "--port=\(port)"],
                environment: [
                    "BROKER_URL": server.url, "PYTHONPATH": interop, "PYTHONDONTWRITEBYTECODE": "1",
                    "FLOWER_UNAUTHENTICATED_API": "true",
                ])
            defer { flower.signal(SIGKILL) }
            let environment = ["CHARD_BROKER_URL": server.url, "FAULT_LEDGER": folder, "FAULT_SPANS": spans]
            let shop = try Program(
                "FaultWorker",
                ["worker", "--processes", "2", "-c", "1", "-n", "shop@host", "-E", "--http", "127.0.0.1:0"],
                environment: environment)
            let broker = RedisBroker(try RedisURL(server.url))
            let url = "http://127.0.0.1:\(port)"
            try await eventually("Flower sees both processes", within: .seconds(60)) {
                guard let answer = try? await HTTPAnswer("\(url)/workers?json=1"), answer.status == 200,
                    let rows = try? JSON(parsing: Array(answer.text.utf8))["data"]?.array
                else { return false }
                let online = rows.filter { $0["status"] == true }.compactMap { $0["hostname"]?.string }
                return online.sorted() == ["shop-1@host", "shop-2@host"]
            }
            try await body(
                Stage(
                    shop: shop, flower: url, app: Chard("client", broker: broker), spans: spans,
                    environment: environment))
            await broker.shutdown()
            shop.signal(SIGTERM)
            #expect(try await shop.finished() == 0, "\(shop.talk)")
        }
    }

    @Test("that was retried twice, lost once and then succeeded: log, show, events, Flower, trace and metrics agree")
    func story() async throws {
        try await withStage { stage in
            let told = Mutex<[WorkerEvent]>([])
            let events = try await stage.app.events()
            let reading = Task { for await event in events { told.withLock { $0.append(event) } } }
            defer { reading.cancel() }

            let tracer = try RecordingTracer(appendingTo: stage.spans)
            let call = try await withTracer(tracer) {
                try await stage.app.send("shop.charge", Arguments([1042]), id: Self.id)
            }
            let holder = Mutex<WorkerReport?>(nil)
            try await eventually("the second attempt runs") {
                guard let record = try await stage.app.find(Self.id), record.message?.retries == 1,
                    case .leased(_, _, let worker?, _?) = record.place
                else { return false }
                holder.withLock { $0 = worker }
                return true
            }
            // A process tells its supervisor once a second; what it has not told, dies with it.
            try await eventually("both starts are counted") {
                try await stage.shop.probe("/metrics")["chard_tasks_started_total" + Self.series] == 2
            }
            let why = try await stage.asked("why", Self.id)
            let victim = try #require(holder.withLock { $0 })
            #expect(why.contains("it runs on \(victim.node)"), "\(why)")
            kill(pid_t(victim.pid), SIGKILL)
            #expect(try await call.value(timeout: .seconds(30)) == 1042)

            let show = try await history(stage, lostBy: victim)
            try await log(stage, traceID: try await trace(stage))
            try await eventually("all events are there") {
                told.withLock { $0.contains { $0.type == "task-succeeded" } }
            }
            let all = told.withLock { $0.filter { $0.taskID == Self.id } }
            #expect(
                all.map(\.type).map { String($0.dropFirst(5)) } == [
                    "received", "started", "retried", "received", "started", "rejected", "received", "started",
                    "retried", "received", "started", "succeeded",
                ])
            #expect(all.filter { $0.type == "task-received" }.map { $0.members["retries"] } == [0, 1, 1, 2])
            let flower = try await page(stage, endedOn: all.last?.node ?? "")
            let sums = try await metrics(stage)
            try keep(stage, ["why": why, "show": show, "metrics": sums, "flower": flower], all)
        }
    }

    /// What `show` and the history say. Returns what is printed.
    private func history(_ stage: Stage, lostBy victim: WorkerReport) async throws -> String {
        try await eventually("the history has the end") {
            try await stage.app.find(Self.id)?.attempts.last?.end == .success
        }
        let record = try #require(try await stage.app.find(Self.id))
        let attempts = record.attempts
        #expect(attempts.map(\.number) == [1, 2, 2, 3])
        #expect(attempts.map(\.end) == [.retry, .lost, .retry, .success])
        #expect(record.losses == 1 && attempts[1].node == victim.node)
        #expect(attempts[1].error == "process \(victim.pid) was ended by signal 9")
        // What is lost is given back at once, and a retry comes when it is due.
        let again = try #require(attempts[2].startedAt).timeIntervalSince(attempts[1].endedAt)
        let retried = try #require(attempts[3].startedAt).timeIntervalSince(attempts[2].endedAt)
        #expect(again < 2 && (0.45...2.5).contains(retried), "\(again), \(retried)")
        let show = try await stage.asked("show", Self.id)
        for word in ["losses  1", "LOST", "was ended by signal 9", "BankError: still closed", "result  1042"] {
            #expect(show.contains(word), "\(show)")
        }
        return show
    }

    /// One trace through the call and all that ran to its end. Returns its id.
    private func trace(_ stage: Stage) async throws -> String {
        try await eventually("the last span has ended") { try FiledSpan.read(stage.spans).count == 4 }
        let spans = try FiledSpan.read(stage.spans)
        let call = try #require(spans.first { $0.name == "apply_async/shop.charge" })
        let runs = spans.filter { $0.name == "run/shop.charge" }
        try #require(runs.count == 3, "\(spans)")
        #expect(Set(spans.map(\.trace)).count == 1)
        #expect(runs.map(\.parent) == [call.span, runs[0].span, runs[1].span])
        #expect(runs.map { $0.attributes["celery.state"] } == ["RETRY", "RETRY", "SUCCESS"])
        #expect(runs.map { $0.attributes["chard.losses"] } == [nil, "1", nil], "the loss is told")
        #expect(runs.map { $0.attributes["celery.retries"] } == ["0", "1", "2"])
        return call.trace
    }

    private func log(_ stage: Stage, traceID: String) async throws {
        let lines = stage.shop.talk.split(separator: "\n").filter { $0.contains("task_id=\(Self.id)") }
        func count(_ word: String) -> Int { lines.count { $0.contains(word) } }
        let talk = stage.shop.talk
        #expect(count("asking the bank") == 4 && count("retry in") == 2 && count("succeeded in") == 1, "\(talk)")
        #expect(count("attempt 2 of 6") == 1 && count("attempt 3 of 6") == 1 && lines.count == 7, "\(talk)")
        #expect(lines.allSatisfy { $0.contains("trace_id=\(traceID)") }, "\(talk)")
        #expect(talk.contains("was ended by signal 9"), "\(talk)")
        #expect(
            talk.split(separator: "\n").contains {
                $0.contains("were given back") && $0.contains("task_ids=\(Self.id)")
            },
            "\(talk)")
    }

    /// What Flower knows, and its page. Returns what it knows.
    private func page(_ stage: Stage, endedOn node: String) async throws -> String {
        let known = Mutex<JSON>(.null)
        try await eventually("Flower has seen the end") {
            let answer = try await HTTPAnswer("\(stage.flower)/api/task/info/\(Self.id)")
            guard answer.status == 200 else { return false }
            let task = try JSON(parsing: Array(answer.text.utf8))
            known.withLock { $0 = task }
            return task["state"] == "SUCCESS"
        }
        let task = known.withLock { $0 }
        #expect(task["retries"] == 2 && task["result"] == "1042" && task["args"] == "(1042,)", "\(task)")
        #expect(task["worker"] == .string(node) && task["exception"] == "BankError('still closed')", "\(task)")
        // The loss, as Celery tells it.
        let (rejected, succeeded) = (task["rejected"]?.number ?? 0, task["succeeded"]?.number ?? 0)
        #expect(rejected > 0 && rejected < succeeded, "\(task)")
        let page = try await HTTPAnswer("\(stage.flower)/task/\(Self.id)")
        #expect(page.status == 200 && page.text.contains("Rejected"), "\(page.text)")
        return "\(task)"
    }

    /// The supervisor's sums, which outlast the process that was killed. Returns those of the task.
    private func metrics(_ stage: Stage) async throws -> String {
        let sums = [
            ("tasks_started_total", 4.0), ("tasks_retried_total", 2), ("tasks_lost_total", 1),
            ("tasks_succeeded_total", 1), ("tasks_failed_total", 0), ("tasks_fenced_total", 0),
            ("task_run_seconds_count", 3), ("task_wait_seconds_count", 3),
        ].map { ("chard_\($0)" + Self.series, $1) }
        try await eventually("the end is counted") {
            try await stage.shop.probe("/metrics")[sums[3].0] == 1
        }
        let metrics = try await stage.shop.probe("/metrics")
        for (name, value) in sums { #expect(metrics[name] == value, "\(name): \(metrics.text)") }
        return metrics.text.split(separator: "\n").filter { $0.contains("shop.charge") }.joined(separator: "\n")
    }

    /// Leaves what was told, where that is wished for.
    private func keep(_ stage: Stage, _ texts: [String: String], _ events: [WorkerEvent]) throws {
        guard let folder = ProcessInfo.processInfo.environment["CHARD_TEST_STORY"] else { return }
        var texts = texts
        texts["log"] = stage.shop.talk
        texts["spans"] = try String(contentsOfFile: stage.spans, encoding: .utf8)
        texts["events"] = events.map { "\($0.time) \($0.node) \($0.type) \(JSON.object($0.details))" }
            .joined(separator: "\n")
        for (name, text) in texts {
            try text.write(toFile: "\(folder)/\(name).txt", atomically: true, encoding: .utf8)
        }
    }
}
