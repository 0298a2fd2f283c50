// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("Probes and metrics of programs", .timeLimit(.minutes(4)))
struct ProbeTests {
    private static let http = ["--http", "127.0.0.1:0"]

    @Test("a worker lives and is ready, tells what it does, and while its broker is away lives on, but is not ready")
    func worker() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "3", "--http", "127.0.0.1:0")
            #expect(try await worker.probe("/live").status == 200)
            try await eventually("it is ready") { try await worker.probe("/ready").status == 200 }
            for _ in 0..<5 {
                _ = try await bench.app.send("interop.add", Arguments([1, 2])).value(timeout: .seconds(20))
            }
            _ = try await bench.app.send("interop.fail").finalStatus(timeout: .seconds(20))
            try await bench.app.send("interop.add", Arguments([1, 2]), queue: "elsewhere")
            let metrics = try await worker.probe("/metrics")
            let add = #"{queue="celery",task="interop.add"}"#
            #expect(metrics["chard_tasks_started_total" + add] == 5, "\(metrics.text)")
            #expect(metrics["chard_tasks_succeeded_total" + add] == 5)
            #expect(metrics["chard_task_run_seconds_count" + add] == 5)
            #expect(metrics["chard_task_wait_seconds_count" + add] == 5)
            #expect(metrics[#"chard_tasks_failed_total{queue="celery",task="interop.fail"}"#] == 1)
            try await eventually("queues are told of") {
                try await worker.probe("/metrics")[#"chard_queue_waiting{queue="elsewhere"}"#] == 1
            }
            #expect(metrics["chard_worker_slots"] == 3 && metrics["chard_broker_up"] == 1)
            #expect(metrics["chard_broker_connections"].map { $0 >= 3 } == true, "\(metrics.text)")
            #expect(try await worker.probe("/nothing").status == 404)
            #expect(try await worker.probe("/metrics", method: "POST").status == 405)

            await bench.server.kill()
            try await eventually("it is not ready") { try await worker.probe("/ready").status == 503 }
            #expect(try await worker.probe("/live").status == 200)
            try await eventually("nothing is told of queues") {
                let away = try await worker.probe("/metrics")
                return away["chard_broker_up"] == 0 && away[#"chard_queue_waiting{queue="elsewhere"}"#] == nil
            }
            try await bench.server.restart()
            try await eventually("it is ready again", within: .seconds(30)) {
                try await worker.probe("/ready").status == 200
            }
            #expect(try await worker.probe("/metrics")["chard_broker_reconnects_total"].map { $0 >= 1 } == true)
            try await bench.stop(worker)
        }
    }

    @Test("a supervisor answers for all processes: the sums outlast them, and one that is stuck is enough not to live")
    func supervisor() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try await bench.worker("--processes", "2", "-c", "2", "--http", "127.0.0.1:0")
            try await eventually("both are ready", within: .seconds(30)) {
                try await supervisor.probe("/ready").status == 200
            }
            for _ in 0..<20 {
                _ = try await bench.app.send("interop.add", Arguments([1, 2])).value(timeout: .seconds(20))
            }
            let series = #"chard_tasks_succeeded_total{queue="celery",task="interop.add"}"#
            try await eventually("all are counted") {
                let metrics = try await supervisor.probe("/metrics")
                return metrics[series] == 20 && metrics["chard_worker_slots"] == 4
            }
            let victims = try await bench.broker.workers().map { Int32($0.pid) }
            #expect(victims.count == 2)
            kill(victims[0], SIGKILL)
            try await eventually("another one is ready", within: .seconds(30)) {
                let pids = try await bench.broker.workers().map { Int32($0.pid) }
                guard pids.count == 2, !pids.contains(victims[0]) else { return false }
                return try await supervisor.probe("/ready").status == 200
            }
            try await eventually("its slots count") {
                try await supervisor.probe("/metrics")["chard_worker_slots"] == 4
            }
            #expect(try await supervisor.probe("/metrics")[series] == 20)
            #expect(try await supervisor.probe("/live").status == 200)

            kill(victims[1], SIGSTOP)
            try await eventually("it does not live", within: .seconds(40)) {
                try await supervisor.probe("/live").status == 503
            }
            #expect(try await supervisor.probe("/live").text.contains("(pid \(victims[1]))"))
            kill(victims[1], SIGCONT)
            try await eventually("it lives") { try await supervisor.probe("/live").status == 200 }
            supervisor.signal(SIGTERM)
            #expect(try await supervisor.finished() == 0, "\(supervisor.talk)")
        }
    }

    @Test("bodies that keep every thread busy do not keep a worker from answering")
    func busy() async throws {
        try await ProcessBench.with { bench in
            let ledger = FileManager.default.temporaryDirectory.path + "/ledger-\(UInt32.random(in: 0 ... .max))"
            try FileManager.default.createDirectory(atPath: ledger, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: ledger) }
            let worker = try Program(
                "FaultWorker", ["worker", "-c", "64"] + Self.http,
                environment: ["CHARD_BROKER_URL": bench.server.url, "FAULT_LEDGER": ledger])
            try await worker.says("is ready")
            for _ in 0..<64 { try await bench.app.send("spin", Arguments([8])) }
            try await eventually("all threads are taken") {
                try await worker.probe("/metrics")["chard_worker_running"].map {
                    $0 >= Double(ProcessInfo.processInfo.activeProcessorCount)
                } == true
            }
            for path in ["/live", "/ready", "/metrics"] {
                #expect(try await worker.probe(path).status == 200, "\(path)")
            }
            worker.signal(SIGKILL)
        }
    }

    @Test("a beat lives, and is ready while it hears of the schedules")
    func beat() async throws {
        try await ProcessBench.with { bench in
            let beat = try bench.start("interop", ["beat"] + Self.http)
            try await beat.says("is ready")
            try await eventually("it is ready") { try await beat.probe("/ready").status == 200 }
            #expect(try await beat.probe("/live").status == 200)
            #expect(try await beat.probe("/metrics")["chard_broker_up"] == 1)
            beat.signal(SIGTERM)
            #expect(try await beat.finished() == 0, "\(beat.talk)")
        }
    }

    @Test("an address that is none, or taken, is an error at the start")
    func addresses() async throws {
        try await ProcessBench.with { bench in
            let wrong = try bench.start("interop", ["worker", "--http", "9100"])
            #expect(try await wrong.finished() == 2)
            #expect(wrong.talk.contains("--http is not an address such as 127.0.0.1:9100"), "\(wrong.talk)")
            let first = try await bench.worker("--http", "127.0.0.1:0")
            let port = try #require(first.talk.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)/)).1
            let second = try bench.start("interop", ["worker", "--http", "127.0.0.1:\(port)"])
            #expect(try await second.finished() == 1)
            #expect(second.talk.contains("nobody can listen there"), "\(second.talk)")
            try await bench.stop(first)
        }
    }
}
