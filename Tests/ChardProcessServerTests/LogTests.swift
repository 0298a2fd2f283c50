// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import TestServers
import Testing

@Suite("The log of a worker process", .timeLimit(.minutes(2)))
struct LogTests {
    @Test("with --log-format json every line of standard error is an object, the banner's too")
    func json() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "1", "--log-format", "json")
            let sent = try await bench.chard(
                "send", "interop.fail", "--args", #"["oh\\nno", "KeyError"]"#, "--wait", "20")
            #expect(sent.status == 1)
            try await worker.says("failed after")
            try await bench.stop(worker)
            let lines = worker.talk.split(separator: "\n")
            let entries = try lines.map { try JSON(parsing: Array($0.utf8)) }
            #expect(entries.contains { $0["message"]?.string?.contains("is ready") == true })
            let failure = try #require(entries.first { $0["message"]?.string?.hasPrefix("failed after") == true })
            #expect(failure["level"] == "error" && failure["task"] == "interop.fail" && failure["queue"] == "celery")
            #expect(failure["error"] == #"KeyError: oh\nno"# && failure["task_id"]?.string?.count == 36)
            #expect(failure["seconds"]?.number != nil)
        }
    }

    @Test("a line an end at info, none of it at warning, and no colours in a file")
    func text() async throws {
        try await ProcessBench.with { bench in
            for (level, count) in [("info", 1), ("warning", 0)] {
                let worker = try await bench.worker("-c", "1", "--log-level", level)
                #expect(try await bench.chard("send", "interop.add", "--args", "[2, 3]", "--wait", "20").status == 0)
                try await bench.stop(worker, done: 1)
                let lines = worker.talk.split(separator: "\n").filter { $0.contains(" chard.task: succeeded in ") }
                #expect(lines.count == count, "\(worker.talk)")
                #expect(lines.allSatisfy { $0.contains(" task=interop.add ") && $0.contains(" queue=celery ") })
                #expect(!worker.talk.contains("\u{1B}"))
            }
            let slip = try await bench.chard("queues", "--log-format", "jason")
            #expect(slip.status == 2 && slip.talk.contains("text and json"), "\(slip)")
        }
    }
}
