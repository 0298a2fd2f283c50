// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Synchronization
import Testing

@testable import ChardDashboard

@Suite("The page of a task")
struct TaskPageTests {
    @Test("a task that failed: its story, its error, its arguments; retried, it can be seen to succeed")
    func failed() async throws {
        let looker = try Looker()
        let gate = Gate()
        looker.app.task("shop.charge", parameters: ["order", "token"]) { (order: JSON, token: String) -> JSON in
            if !gate.isOpen { throw TaskError("BankError", "the bank is <closed>") }
            return order
        }
        let big: JSON = .bigInteger("123456789012345678901234567890")
        _ = try await looker.app.send(
            "shop.charge", Arguments([big], keywords: ["token": "geheim"]), options: EnqueueOptions(id: "a/b"))
        try await looker.work(until: looker.attempts(1))
        let page = try await looker.document(.task, ["task": "a/b"])
        #expect(page["state"] == "failure" && page["why"]?["cause"] == "over")
        #expect(page["attempts"]?[0]?["error"]?.string == "BankError: the bank is <closed>")
        #expect(page["status"]?["error"] == "BankError: the bank is <closed>")
        #expect(page["timeline"]?.array?.compactMap { $0["what"]?.string } == ["sent", "started", "failure"])
        #expect(page["arguments"] == [big] && page["keywords"] == ["token": "***"])
        // What is hidden in the arguments would be readable in the message.
        #expect(
            page["message"] == .null && page["body"] == .null && page["hidden"]?.string?.contains("redacted") == true)
        #expect(page["can"]?["retry"] == true && page["can"]?["copy"] == true)
        let html = try await looker.html(.task, ["task": "a/b"])
        #expect(
            !html.contains("geheim") && !html.contains("<closed>") && html.contains("123456789012345678901234567890"))
        #expect(html.contains("action=\"/tasks/tasks/a%2Fb/retry\""))

        gate.open()
        #expect(try await looker.order("/tasks/{task}/retry", ["task": "a/b"]).hasChanged)
        #expect(try await !looker.order("/tasks/{task}/retry", ["task": "a/b"]).hasChanged)
        try await looker.work(until: looker.attempts(2))
        let after = try await looker.document(.task, ["task": "a/b"])
        #expect(after["state"] == "success" && after["status"]?["result"] == big)
        #expect(after["status"]?["result_text"] == "123456789012345678901234567890")
        #expect(after["attempts"]?.array?.count == 2)
    }

    @Test("a list of waiting messages shows their arguments without what is hidden, whatever a sender wrote there")
    func listed() async throws {
        let looker = try Looker()
        let body = MessageBody(Arguments([1], keywords: ["password": "geheim"]))
        var message = TaskMessage(task: "python.login", id: "p", body: body, queue: "celery")
        message.keywordsText = "{'password': 'geheim'}"
        try await looker.broker.send([OutgoingMessage(id: "p", queue: "celery", payload: message.encoded())])
        let page = try await looker.document(.queue, ["queue": "celery"])
        #expect(page["messages"]?[0]?["arguments"] == "(1,) {'password': '***'}")
    }

    @Test("a copy with edited arguments: what was hidden stays what it was; bad JSON is told with its place")
    func copies() async throws {
        let looker = try Looker()
        let sent = try await looker.app.send(
            "shop.charge", Arguments([1], keywords: ["password": "geheim", "user": ["token": "t1", "name": "ada"]]))
        let fields = [
            (name: "arguments", value: "[1, 2.50]"),
            (name: "keywords", value: #"{"password": "***", "user": {"token": "t2", "name": "***"}}"#),
        ]
        let outcome = try await looker.order("/tasks/{task}/copy", ["task": sent.id], fields)
        let copy = outcome.details["id"]?.string ?? ""
        let message = try #require(try await looker.app.operator.find(copy)?.message)
        let body = try message.decodeBody().arguments()
        #expect(body.positional == [1, 2.5])
        #expect(body.keywords == ["password": "geheim", "user": ["token": "t2", "name": "***"]])

        for (field, value, expected) in [
            ("arguments", "[1,\n 2,,3]", "line 2, column 4"), ("arguments", "{}", "must be a JSON array"),
            ("keywords", "[]", "must be a JSON object"), ("keywords", #"{"a" 1}"#, "expected"),
        ] {
            let error = await refusal {
                _ = try await looker.order("/tasks/{task}/copy", ["task": sent.id], [(name: field, value: value)])
            }
            #expect(error?.status == .badRequest && error?.text.contains(expected) == true, "\(error?.text ?? "")")
        }
        #expect(try await looker.app.operator.queues.waiting(in: "celery").count == 2)
        let error = await refusal { _ = try await looker.order("/tasks/{task}/copy", ["task": "nobody"]) }
        #expect(error?.status == .conflict)
    }

    @Test("a task that waits says why it does, and is called off")
    func waiting() async throws {
        let looker = try Looker()
        _ = try await looker.app.send("shop.add", Arguments([1, 2]), options: EnqueueOptions(queue: "q", id: "a"))
        let page = try await looker.document(.task, ["task": "a"])
        #expect(page["state"] == "waiting" && page["place"]?["ahead"] == 0 && page["why"]?["cause"] == "unserved")
        #expect(page["message"]?["text"]?.string?.contains("\"id\":\"a\"") == true)
        #expect(page["body"]?["text"] == "[[1,2],{},{}]")
        #expect(try await looker.order("/tasks/{task}/cancel", ["task": "a"]).hasChanged)
        #expect(try await looker.document(.task, ["task": "a"])["why"]?["cause"] == "revoked")
        #expect(try await !looker.order("/tasks/{task}/delete", ["task": "a"]).hasChanged)
    }

    @Test("a task that is unknown or was deleted has a page that says so")
    func missing() async throws {
        let looker = try Looker()
        let error = await refusal { _ = try await looker.document(.task, ["task": "nobody"]) }
        #expect(error?.status == .notFound && error?.text.contains("never sent") == true)
        looker.app.task("t") { () -> Void in throw TaskError("ValueError", "no") }
        let sent = try await looker.app.send("t", Arguments())
        try await looker.work(until: looker.attempts(1))
        #expect(try await looker.order("/tasks/{task}/delete", ["task": sent.id]).place == "/tasks")
        // Its attempts are still known, and that it failed; its message is not.
        #expect(try await looker.document(.task, ["task": sent.id])["can"]?["copy"] == false)
        #expect(try await !looker.order("/tasks/{task}/retry", ["task": sent.id]).hasChanged)
    }

    @Test("where arguments are not to be shown, neither they nor results are in any document")
    func hidden() async throws {
        let looker = try Looker(showsArguments: false)
        looker.app.task("echo") { (text: String) in text }
        let done = try await looker.app.send("echo", Arguments(["geheim"]))
        try await looker.work(until: looker.attempts(1))
        let delayed = try await looker.app.send(
            "echo", Arguments(["geheim"]), options: EnqueueOptions(countdown: .seconds(60)))
        try await looker.bury([
            DeadLetter(
                id: "d", taskID: nil, task: nil, queue: "q", reason: .malformed, error: "no", attempts: 0, worker: "w",
                diedAt: Date(), payload: Array("[geheim".utf8))
        ])
        for (page, names) in [
            (Page.task, ["task": done.id]), (.task, ["task": delayed.id]), (.letter, ["letter": "d"]), (.delayed, [:]),
            (.tasks, [:]), (.dead, [:]),
        ] {
            let document = try await looker.document(page, names)
            #expect(!"\(document)".contains("geheim"), "\(page.path)")
        }
    }

    @Test("bytes of any kind are shown as what they are")
    func bytes() {
        #expect(RawBytes.document(Array("{\"é\": 1}".utf8))["is_text"] == true)
        let binary = RawBytes.document([0xFF, 0x41, 0x0A])
        #expect(binary["is_text"] == false && binary["text"]?.string?.hasPrefix("000000  ff 41 0a ") == true)
        let huge = RawBytes.document(Array(String(repeating: "é", count: 20_000).utf8) + [0x41])
        #expect(huge["is_cut"] == true && huge["is_text"] == true && huge["size"] == 40_001)
        #expect(ExactText.escape("a\"\u{301}<\u{0}>") == "a&#34;&#769;&#60;&#0;&#62;")
    }
}

/// Whether something may succeed by now.
private final class Gate: Sendable {
    private let state = Mutex(false)
    var isOpen: Bool { state.withLock { $0 } }
    func open() { state.withLock { $0 = true } }
}
