// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Stored statuses")
struct TaskStatusTests {
    @Test(
        "of real Celery workers decode, and encode to the same value", arguments: Fixture.statusNames)
    func fixtures(_ name: String) throws {
        for payload in try Fixture(name).statuses {
            let status = try TaskStatus(decoding: payload)
            #expect(try JSON(parsing: status.encoded()) == JSON(parsing: payload))
            #expect(status.state.isReady == (status.dateDone != nil))
        }
    }

    @Test("are text where they are printed, not bytes")
    func printed() {
        let sum = TaskStatus(id: "a", state: .success, result: Array("[1,\"é\"]".utf8))
        #expect("\(sum)" == "a: SUCCESS [1,\"é\"]")
        let failure = TaskError("ValueError", "boom").info.json.encoded()
        #expect("\(TaskStatus(id: "a", state: .failure, result: failure))" == "a: FAILURE ValueError: boom")
        #expect("\(TaskStatus(id: "a", state: .pending))" == "a: PENDING")
        let long = TaskStatus(
            id: "a", state: .success, result: Array("\"\(String(repeating: "x", count: 5000))\"".utf8))
        #expect("\(long)".count < 1100 && "\(long)".hasSuffix("xxx..."))
    }

    @Test("that a real Celery client was tried with")
    func acceptance() throws {
        for test in try #require(try Fixture("result-acceptance").json["cases"]?.array) {
            let meta = try #require(test["meta"])
            let status = try TaskStatus(decoding: meta.encoded())
            #expect(status.state.rawValue == meta["status"]?.string)
            #expect(status.result == meta["result"])
            #expect(status.id == meta["task_id"]?.string ?? "")
        }
    }

    @Test("begin with state and result")
    func text() throws {
        let status = TaskStatus(
            id: "i", state: .success, result: Array("5".utf8),
            dateDone: Timestamp.date(from: "2026-11-21T20:46:48.552746Z"),
            groupID: "g", extra: ["name": "add", "status": "not this"])
        #expect(
            status.encoded().text == #"{"status":"SUCCESS","result":5,"traceback":null,"children":[],"#
                + #""date_done":"2026-11-21T20:46:48.552746+00:00","task_id":"i","group_id":"g","name":"add"}"#
        )
    }

    @Test("hold errors")
    func errors() throws {
        let payload = try #require(try Fixture("result-failure").statuses.last)
        let status = try TaskStatus(decoding: payload)
        #expect(status.state == .failure)
        #expect(
            status.exception == ExceptionInfo(type: "ValueError", module: "builtins", message: ["boom"]))
        #expect(status.exception?.description == "ValueError: boom")
        #expect(status.traceback?.hasPrefix("Traceback") == true)
        let bare = ExceptionInfo(["exc_type": "E", "exc_message": "boom"])
        #expect(bare?.text == "boom")
        #expect(bare?.module == nil)
        #expect(ExceptionInfo("boom") == nil)
        #expect(ExceptionInfo(["exc_message": ["boom"]]) == nil)
        #expect(ExceptionInfo(type: "E", message: ["a", 2]).text == "('a', 2)")
        #expect(ExceptionInfo(type: "E", message: []).description == "E")
        let again = ExceptionInfo(type: "E", module: "M", message: ["a", nil])
        #expect(ExceptionInfo(again.json) == again)
    }

    @Test(
        "that are none are refused",
        arguments: ["", "[]", "{}", #"{"status":1}"#, #"{"status":"SUCCESS""#])
    func refused(_ text: String) {
        #expect(throws: MessageError.self) { try TaskStatus(decoding: Array(text.utf8)) }
    }
}
