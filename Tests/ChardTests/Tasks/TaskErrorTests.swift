// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Failures as Celery writes them down")
struct TaskErrorTests {
    struct Broke: Error, CustomStringConvertible {
        let description = "it broke"
    }

    enum Kind: Error {
        case first, second(Int)
    }

    @Test("any error has a type, a module and words")
    func described() {
        let broke = TaskError(describing: Broke())
        #expect(broke.type == "Broke")
        #expect(broke.module == "ChardTests")
        #expect(broke.message == "it broke")
        #expect(broke.description == "Broke: it broke")
        #expect(TaskError(describing: Kind.second(3)).description == "Kind: second(3)")
        let cancelled = TaskError(describing: CancellationError())
        #expect(cancelled.type == "CancellationError")
        #expect(cancelled.module == "Swift")
    }

    @Test("a task error stays as it is")
    func own() {
        var error = TaskError("ValueError", "boom")
        error.arguments = ["boom", 3]
        #expect(TaskError(describing: error) == error)
        #expect(error.module == "builtins")
        #expect(error.description == "ValueError: ('boom', 3)")
        #expect(error.info.json == ["exc_type": "ValueError", "exc_message": ["boom", 3], "exc_module": "builtins"])
        #expect(TaskError("E", "m", module: nil).info.json["exc_module"] == JSON.null)
    }

    @Test("a stored failure comes back with its traceback and id")
    func stored() {
        var status = TaskStatus(
            id: "id", state: .failure,
            result: Array(#"{"exc_type":"KeyError","exc_message":["k"],"exc_module":"m"}"#.utf8))
        status.traceback = "Traceback ..."
        let error = status.error
        #expect(error?.description == "KeyError: k")
        #expect(error?.module == "m")
        #expect(error?.traceback == "Traceback ...")
        #expect(error?.taskID == "id")
        status.state = .success
        #expect(status.error == nil)
    }

    @Test("decoding errors say where")
    func wording() {
        let error = #expect(throws: DecodingError.self) {
            try JSON.decode([String: [Int]].self, from: Array(#"{"a":[1,"x"]}"#.utf8))
        }
        #expect(error?.wording == "at .a[1]: expected Int, found a string")
        #expect(
            TaskError(describing: error ?? .dataCorrupted(.init(codingPath: [], debugDescription: ""))).type
                == "DecodingError")
    }
}
