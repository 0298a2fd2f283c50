// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Testing

@testable import ChardDashboard

@Suite("The list of tasks")
struct TasksPageTests {
    /// Three failures, of which one was retried, and a success.
    private func worked() async throws -> Looker {
        let looker = try Looker()
        looker.app.task("shop.charge") { (text: String) -> Void in throw TaskError("ValueError", text) }
        looker.app.task("shop.add") { (x: Int, y: Int) in x + y }
        let options = { (id: String, queue: String) in EnqueueOptions(queue: queue, id: id) }
        _ = try await looker.app.send("shop.charge", Arguments(["card Refused"]), options: options("a", "bank"))
        _ = try await looker.app.send("shop.charge", Arguments(["no money"]), options: options("b", "bank"))
        _ = try await looker.app.send("shop.add", Arguments([1, 2]), options: options("c", "math"))
        _ = try await looker.app.send("shop.add", Arguments(["x", 2]), options: options("d", "math"))
        try await looker.work(["bank", "math"], until: looker.attempts(4))
        return looker
    }

    @Test("what ended last, and by state, name, queue, worker, time and error")
    func filters() async throws {
        let looker = try await worked()
        func found(_ filters: [String: String]) async throws -> Set<String> {
            Set(try await looker.document(.tasks, [:], filters).ids)
        }
        #expect(try await found([:]) == ["a", "b", "c", "d"])
        #expect(try await found(["state": "failed"]) == ["a", "b", "d"])
        #expect(try await found(["state": "succeeded"]) == ["c"])
        #expect(try await found(["state": "failed", "task": "shop.ch*"]) == ["a", "b"])
        #expect(try await found(["queue": "ma*", "state": "failed"]) == ["d"])
        #expect(try await found(["error": "rEFUSED"]) == ["a"])
        #expect(try await found(["worker": "test@*"]) == ["a", "b", "c", "d"])
        #expect(try await found(["worker": "other"]) == [])
        #expect(try await found(["since": "1h"]) == ["a", "b", "c", "d"])
        #expect(try await found(["since": Timestamp.text(for: Date() + 60)]) == [])
        #expect(try await found(["state": "dead"]) == ["d"])
        #expect(try await found(["state": "waiting"]) == [])
        let page = try await looker.document(.tasks, [:], ["limit": "2", "task": "shop.*"])
        #expect(page.ids.count == 2 && page["total"] == 4)
        #expect(page["pager"]?["after"] == "/tasks?from=2&limit=2&task=shop.%2A")
    }

    @Test(
        "a filter that is none is named",
        arguments: [("state", "gone"), ("since", "yesterday"), ("since", "-1h"), ("limit", "0"), ("from", "x")])
    func bad(_ name: String, _ value: String) async throws {
        let looker = try Looker()
        let error = await refusal { _ = try await looker.document(.tasks, [:], [name: value]) }
        #expect(error?.status == .badRequest)
        #expect(error?.text.contains("\"\(name)\" is \"\(value)\"") == true)
    }

    @Test("a long queue is read from where one looks, and no more than a bounded part of it")
    func waiting() async throws {
        let looker = try Looker()
        let messages = (0..<2_500).map { index in
            let message = TaskMessage(
                task: index == 2_400 ? "rare" : "often", id: "m\(index)", body: MessageBody(), queue: "q")
            return OutgoingMessage(id: message.id, queue: "q", payload: message.encoded())
        }
        try await looker.broker.send(messages)
        try await looker.broker.send([
            OutgoingMessage(
                id: "z", queue: "r",
                payload: TaskMessage(task: "often", id: "z", body: MessageBody(), queue: "r").encoded())
        ])
        let last = try await looker.document(.tasks, [:], ["state": "waiting", "from": "2499", "limit": "3"])
        #expect(last.ids == ["m2499", "z"] && last["total"] == 2_501)
        #expect(last["note"] == .null)
        let rare = try await looker.document(.tasks, [:], ["state": "waiting", "task": "rare"])
        #expect(rare.ids == [])
        #expect(rare["note"]?.string == "Only 1\u{202F}000 of 2\u{202F}501 were looked through.")
        let often = try await looker.document(
            .tasks, [:], ["state": "waiting", "task": "often", "from": "10", "limit": "2"])
        #expect(often.ids == ["m10", "m11"])
        #expect(try await looker.document(.tasks, [:], ["state": "waiting", "queue": "r"]).ids == ["z"])
    }

    @Test("the history is read on, not anew, and what went wrong is not driven out by what went well")
    func recent() async throws {
        let looker = try Looker()
        func note(_ end: Attempt.End, _ ids: some Sequence<String>) async throws {
            try await looker.broker.note(ids.map { AttemptRecord(Attempt(id: $0, end: end, endedAt: Date())) })
        }
        try await note(.failure, ["bad"])
        try await note(.success, (0..<RecentAttempts.most + 10).lazy.map { "g\($0)" })
        let page = try await looker.document(.tasks, [:], ["state": "failed"])
        #expect(page.ids == ["bad"] && page["note"]?.string?.contains("10\u{202F}000") == true)
        try await note(.failure, ["worse"])
        #expect(try await looker.document(.tasks, [:], ["state": "failed"]).ids == ["worse", "bad"])
        #expect(try await looker.document(.tasks).ids.count == 50)
    }

    @Test("the text of an error loses what varies")
    func patterns() {
        #expect(ErrorPattern.of("KeyError: 'ada' at 17") == "KeyError: '…' at …")
        #expect(
            ErrorPattern.of("no order 3f1c-22 of user b7, \"x\" is missing\nmore")
                == "no order … of user …, \"…\" is missing")
        #expect(ErrorPattern.of("it's gone") == "it's gone")
        #expect(ErrorPattern.of(String(repeating: "é(", count: 10_000)).count <= 200)
    }
}
