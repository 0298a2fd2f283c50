// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import TestServers
import Testing

@Suite("send and result, as processes on a real server", .timeLimit(.minutes(2)))
struct SendCommandTests {
    @Test("results, failures and what is not there: output and exit status")
    func outcomes() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "2")
            let good = try await bench.chard(
                "send", "interop.echo", "--args", #"[1, "é"]"#, "--kwargs", #"{"k": null}"#, "--wait", "10", "--json")
            #expect(good.status == 0 && good.talk.isEmpty, "\(good)")
            #expect(try good.json["result"] == ["args": [1, "é"], "kwargs": ["k": nil]])

            let failed = try await bench.chard("send", "interop.fail", "--args", #"["oh", "KeyError"]"#, "--wait", "10")
            #expect(failed.status == 1, "\(failed)")
            #expect(failed.lines.count == 1, "only the id is an answer")
            #expect(failed.talk.hasPrefix("chard: KeyError: oh"), "\(failed)")
            let id = String(failed.lines[0])
            let shown = try await bench.chard("result", id)
            #expect(shown.status == 1 && shown.output.contains("KeyError"), "\(shown)")
            let json = try await bench.chard("result", id, "--json")
            #expect(json.status == 1, "\(json)")
            #expect(try json.json["result"]?["exc_type"] == "KeyError")

            let wrong = try await bench.chard("send", "interop.add", "--args", "[1]", "--wait", "10", "--json")
            #expect(wrong.status == 1, "\(wrong)")
            #expect(try wrong.json["result"]?["exc_type"] == "TypeError")
            let unknown = try await bench.chard("send", "nobody.knows", "--wait", "10", "--json")
            #expect(unknown.status == 1, "\(unknown)")
            #expect(try unknown.json["result"]?["exc_type"] == "NotRegistered")

            let nothing = try await bench.chard("result", "no-such-id")
            #expect(nothing.status == 1 && nothing.talk.contains("no-such-id"), "\(nothing)")
            let pending = try await bench.chard("result", "no-such-id", "--json")
            #expect(pending.status == 1, "\(pending)")
            #expect(try pending.json["status"] == "PENDING")
            try await bench.stop(worker)
        }
    }

    @Test("nobody there to run it: 3 after the time given, and the id is known all the same")
    func timeouts() async throws {
        try await ProcessBench.with { bench in
            let sent = try await bench.chard("send", "interop.add", "--args", "[2, 3]", "--wait", "0.3")
            #expect(sent.status == 3, "\(sent)")
            #expect(sent.talk.hasPrefix("chard: ") && sent.talk.contains("is a worker running"), "\(sent)")
            let id = String(try #require(sent.lines.first))
            let result = try await bench.chard("result", id, "--wait", "0.3")
            #expect(result.status == 3 && result.isOneLine, "\(result)")
            let json = try await bench.chard("send", "interop.add", "--wait", "0.3", "--json")
            #expect(json.status == 3 && json.isOneLine, "\(json)")
            // What was waited for in vain runs later.
            let worker = try await bench.worker("--drain")
            #expect(try await worker.finished() == 0)
            #expect(try await bench.chard("result", id).output.contains("5"))
        }
    }

    @Test("every option reaches the worker")
    func options() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-Q", "math", "-n", "me")
            let sent = try await bench.chard(
                "send", "interop.info", "-Q", "math", "--id", "my-id", "--header", "a=b", "--header", "c=d=e",
                "--priority", "6", "--expires", "60", "--countdown", "0.1", "--wait", "10", "--json")
            #expect(sent.status == 0, "\(sent)")
            let info = try #require(try sent.json["result"])
            #expect(info["id"] == "my-id")
            #expect(info["headers"] == ["a": "b", "c": "d=e"])
            #expect(info["delivery_info"]?["routing_key"] == "math")
            #expect(info["delivery_info"]?["priority"] == 6)
            #expect(info["hostname"] == "me")
            #expect(info["expires"]?.string != nil && info["eta"]?.string != nil)
            try await bench.stop(worker)
        }
    }
}
