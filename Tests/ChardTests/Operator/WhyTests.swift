// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Why a task is not running")
struct WhyTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func worker(_ queues: [String], slots: Int = 1, running: Int = 0) -> WorkerReport {
        WorkerReport(
            node: "w@here", identity: "i", pid: 1, queues: queues, concurrency: slots, startedAt: 0, seenAt: 0,
            vitals: Vitals(
                running: (0..<running).map { Vitals.Running(id: "r\($0)", task: "t", since: 0) }, done: 0, failed: 0))
    }

    private func record(_ place: TaskRecord.Place, expires: Date? = nil, _ attempts: [Attempt] = []) -> TaskRecord {
        var message = TaskMessage(task: "t", id: "a", body: MessageBody(), queue: "q")
        message.expires = expires
        return TaskRecord(id: "a", place: place, status: nil, attempts: attempts, message: message)
    }

    private func report(isPaused: Bool = false) -> QueueReport {
        QueueReport(queue: "q", waiting: 1, delayed: 0, leased: 0, dead: 0, isPaused: isPaused)
    }

    @Test("each cause, the one nearest to the task first")
    func waiting() {
        let waiting = record(.waiting(queue: "q", ahead: 3))
        var around = Circumstances(now: now)
        around.queue = report()
        #expect(waiting.explanation(in: around).cause == "unserved")
        around.workers = [worker(["other"])]
        #expect(waiting.explanation(in: around).cause == "unserved")
        around.workers.append(worker(["q"], slots: 2, running: 1))
        #expect(waiting.explanation(in: around).cause == "soon")
        #expect(
            waiting.explanation(in: around).text
                == "3 others are before it in q; 1 worker serves it, with 1 of 2 slots in use")
        around.workers.append(worker(["q"], slots: 2, running: 3))
        #expect(waiting.explanation(in: around).cause == "busy")
        around.queue = report(isPaused: true)
        #expect(waiting.explanation(in: around).cause == "paused")
        #expect(waiting.explanation(in: around).advice == "'queues resume q'")
        #expect(record(.waiting(queue: "q", ahead: 0), expires: now - 1).explanation(in: around).cause == "expired")
        around.isRevoked = true
        #expect(waiting.explanation(in: around).cause == "revoked")
    }

    @Test("what waits for its time, and what nobody moves when that has come")
    func delayed() {
        var failed = Attempt(id: "a", end: .retry, endedAt: now)
        failed.error = "ValueError: no"
        let around = Circumstances(now: now)
        let retry = record(.delayed(queue: "q", until: now + 30), [failed]).explanation(in: around)
        #expect(retry.cause == "delayed" && retry.text.hasPrefix("it failed, and is tried again (ValueError: no) at "))
        let overdue = record(.delayed(queue: "q", until: now - 30)).explanation(in: around)
        #expect(overdue.cause == "overdue" && overdue.advice?.contains("no worker of Chard is alive") == true)
    }

    @Test("what waits for its turn because of a rate limit")
    func rateLimited() {
        var limited = record(.delayed(queue: "q", until: now + 3))
        limited.message?.headers[RateLimit.waitedHeader] = true
        let explanation = limited.explanation(in: Circumstances(now: now))
        #expect(explanation.cause == "rate-limited" && explanation.text.hasSuffix("tried again in 3.0 s"))
        #expect(explanation.advice?.contains("control rate_limit t RATE") == true)
    }

    @Test("what was not sent yet: a flow that waits for a signal, its signal, and what comes after it")
    func signals() async throws {
        let (app, _) = makeApp()
        let first = app.task("first") { () in 1 }
        let last = app.task("last") { () in 2 }
        var flow = Flow(app)
        _ = try flow.step("begin", first.signature())
        _ = try flow.signal("approve", after: ["begin"])
        let end = try flow.step("end", last.signature(), after: ["approve"])
        let result = try await flow.enqueue(returning: end)
        let root = result.workflowID ?? result.id
        var why = try await app.operator.why(root)
        #expect(why.cause == "follows" && why.text.contains("begin"), "\(why)")
        try await withWorker(app) { _ in
            try await eventually("it waits for the signal") { try await app.operator.why(root).cause == "signal" }
        }
        why = try await app.operator.why(root)
        #expect(why.text.contains(#"and waits for the signal "approve""#), "\(why)")
        #expect(why.advice == "'workflow signal \(root) approve' gives it")
        why = try await app.operator.why(result.id)
        #expect(why.cause == "signal" && why.text.contains("which waits"), "\(why)")
        #expect(try await app.operator.why("nobody").cause == "unknown")
    }

    @Test("what is held, runs, is lost or over")
    func others() {
        let around = Circumstances(now: now)
        let place = { TaskRecord.Place.leased(queue: "q", holder: "i", worker: $0, since: $1) }
        #expect(record(place(nil, nil)).explanation(in: around).cause == "lost")
        #expect(record(place(worker(["q"]), nil)).explanation(in: around).cause == "held")
        #expect(record(place(worker(["q"]), now - 4)).explanation(in: around).text == "it runs on w@here, since 4.0 s")
        #expect(record(.gone, [Attempt(id: "a", end: .revoked, endedAt: now)]).explanation(in: around).cause == "over")
        #expect(record(.gone, [Attempt(id: "a", end: .retry, endedAt: now)]).explanation(in: around).cause == "unseen")
    }
}
