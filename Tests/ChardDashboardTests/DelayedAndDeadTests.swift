// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Testing

@testable import ChardDashboard

@Suite("What is delayed, and what is dead")
struct DelayedAndDeadTests {
    @Test("the next hour, and what is late; moved, run and called off once")
    func delayed() async throws {
        let looker = try Looker()
        for (id, seconds) in [("late", -30.0), ("soon", 130), ("later", 1_000), ("tomorrow", 86_400)] {
            try await looker.broker.send([
                OutgoingMessage(
                    id: id, queue: id == "later" ? "mail" : "q", dueAt: Date() + seconds,
                    payload: TaskMessage(task: "t", id: id, body: MessageBody(), queue: "q").encoded())
            ])
        }
        let page = try await looker.document(.delayed)
        #expect(Set(page.ids).isSuperset(of: ["soon", "later", "tomorrow"]))
        let bars = try #require(page["bars"]?.array)
        #expect(bars.count == 31 && bars[2]["value"] == 1 && bars[9]["value"] == 1)
        #expect(bars.reduce(0) { $0 + ($1["value"]?.integer ?? 0) } == page.ids.count - 1)
        #expect(try await looker.document(.delayed, [:], ["queue": "mail"]).ids == ["later"])
        #expect(try await looker.html(.delayed).contains("<svg class=\"bars\""))

        let names = ["task": "soon"]
        let moved = try await looker.order("/delayed/{task}/move", names, [(name: "to", value: "+2h")])
        #expect(moved.hasChanged)
        let due = try #require(try await looker.app.operator.delayedTasks.find("soon")?.dueAt)
        #expect(abs(due.timeIntervalSinceNow - 7_200) < 60)
        let error = await refusal {
            _ = try await looker.order("/delayed/{task}/move", names, [(name: "to", value: "whenever")])
        }
        #expect(error?.status == .badRequest)
        #expect(try await looker.order("/delayed/{task}/run", names).hasChanged)
        #expect(try await !looker.order("/delayed/{task}/run", names).hasChanged)
        #expect(try await looker.order("/delayed/{task}/cancel", ["task": "later"]).hasChanged)
        #expect(try await !looker.order("/delayed/{task}/cancel", ["task": "later"]).hasChanged)
    }

    private func letter(_ id: String, _ error: String, _ payload: String = "{}", task: String = "t") -> DeadLetter {
        DeadLetter(
            id: id, taskID: id, task: task, queue: "q", reason: .badArguments, error: error, attempts: 1, worker: "w",
            diedAt: Date(), payload: Array(payload.utf8))
    }

    @Test("letters fall into groups of one cause, and a group is requeued as a whole")
    func groups() async throws {
        let looker = try Looker()
        let message = String(
            decoding: TaskMessage(task: "t", id: "x", body: MessageBody(), queue: "q").encoded(), as: UTF8.self)
        try await looker.bury(
            (0..<5).map { letter("a\($0)", "no order \($0)", message) } + [letter("b", "no user", message, task: "u")])
        let page = try await looker.document(.dead)
        let groups = try #require(page["groups"]?.array)
        #expect(groups.map { $0["count"] } == [5, 1])
        #expect(groups[0]["error"] == "no order …" && groups[0]["task"] == "t")
        let one = try await looker.document(.dead, [:], ["like": "no order …"])
        #expect(one["letters"]?.array?.count == 5)

        let dry = try await looker.document(.dryRun, [:], ["of": "dead", "act": "requeue", "like": "no order …"])
        #expect(dry["count"] == 5 && dry["samples"]?.array?.count == 5)
        #expect(try await looker.document(.dead)["total"] == 6)
        let fields = [
            (name: "of", value: "dead"), (name: "act", value: "requeue"), (name: "all", value: "true"),
            (name: "like", value: "no order …"),
        ]
        let progress = try await looker.batch(fields)
        #expect(progress?.changed == 5 && progress?.refused == 0 && progress?.state == .done)
        #expect(try await looker.document(.dead)["total"] == 1)
        #expect(try await looker.app.operator.queues.waiting(in: "q").count == 5)
        let error = await refusal { _ = try await looker.order("/batches", [:], fields) }
        #expect(error?.status == .badRequest)
    }

    @Test("a letter says what the decoder says today, and where")
    func place() async throws {
        let looker = try Looker()
        let body =
            #"{"body": "[[1,, 2], {}, {}]", "content-type": "application/json", "content-encoding": "utf-8", "#
            + #""headers": {"id": "x", "task": "t"}, "properties": {}}"#
        try await looker.bury([
            letter("cut", "no", #"{"headers": {"id": "x""#), letter("body", "no", body), letter("fine", "no", #"{}"#),
        ])
        let cut = try await looker.document(.letter, ["letter": "cut"])["decoder"]
        #expect(cut?["place"]?["part"] == "the message" && cut?["place"]?["offset"] == 22)
        #expect(cut?["place"]?["there"] == "(the end)")
        let inner = try await looker.document(.letter, ["letter": "body"])["decoder"]
        #expect(inner?["place"]?["part"] == "the body" && inner?["place"]?["before"] == "[[1,")
        #expect(inner?["sentence"]?.string?.contains("at byte 4") == true)
        let html = try await looker.html(.letter, ["letter": "body"])
        #expect(html.contains("[[1,<mark>,</mark> 2]"))
        #expect(try await looker.document(.letter, ["letter": "fine"])["decoder"]?["place"] == .null)

        #expect(try await looker.order("/dead/{letter}/drop", ["letter": "cut"]).hasChanged)
        #expect(try await !looker.order("/dead/{letter}/drop", ["letter": "cut"]).hasChanged)
        let error = await refusal { _ = try await looker.document(.letter, ["letter": "cut"]) }
        #expect(error?.status == .notFound)
    }
}
