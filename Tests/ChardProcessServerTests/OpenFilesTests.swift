// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import TestServers
import Testing

@Suite("Few file descriptors", .timeLimit(.minutes(3)))
struct OpenFilesTests {
    /// Starts a worker that may have so many files open.
    private func start(_ limit: Int, _ words: [String], _ bench: ProcessBench) throws -> Program {
        try Program(
            "/bin/sh",
            ["-c", "ulimit -n \(limit); exec \"$0\" \"$@\"", Program.path(of: "interop"), "worker", "-c", "2"] + words,
            environment: ["CHARD_BROKER_URL": bench.server.url])
    }

    @Test("too few to begin with: one line that says which limit to raise", arguments: [8, 16, 31])
    func tooFew(limit: Int) async throws {
        try await ProcessBench.with { bench in
            for words in [[], ["--processes", "4"]] {
                let run = try await CommandRun(start(limit, words, bench))
                #expect(run.status == 1 && run.isOneLine && run.talk.contains("ulimit -n"), "\(limit): \(run)")
            }
        }
    }

    @Test("just enough: a worker, and one with processes", arguments: [40, 64])
    func enough(limit: Int) async throws {
        try await ProcessBench.with { bench in
            for words in [[], ["--processes", "4"]] {
                let worker = try start(limit, words, bench)
                try await worker.says("is ready")
                worker.signal(SIGTERM)
                #expect(try await worker.finished() == 0, "\(limit): \(worker.talk)")
            }
        }
    }

    @Test("too few for all queues: it is said which are not waited for, and the worker works and lives")
    func queues() async throws {
        try await ProcessBench.with { bench in
            let queues = (0..<150).map { "q\($0)" }
            let worker = try start(100, ["-Q", queues.joined(separator: ",")], bench)
            try await worker.says("a queue is not waited for")
            #expect(worker.talk.contains("ulimit -n"), "\(worker.talk)")
            // Each is served all the same while there is other work.
            for queue in queues {
                try await bench.app.send(
                    "interop.mark", Arguments(["all", .string(queue)]), options: .init(queue: queue))
            }
            try await eventually("all have run", within: .seconds(60)) {
                try await bench.app.send("interop.add", Arguments([1, 2]), options: .init(queue: "q0"))
                return try await bench.marks("all").count == queues.count
            }
            // A process without any descriptors would be ended by Dispatch within a second or two of work.
            for _ in 0..<30 {
                try await bench.app.send("interop.sleepy", Arguments([0.2]), options: .init(queue: "q0"))
            }
            try await eventually("they have run", within: .seconds(60)) { try await bench.isQuiet("q0") }
            #expect(worker.status == nil, "\(worker.talk)")
            worker.signal(SIGTERM)
            #expect(try await worker.finished() == 0, "\(worker.talk)")
        }
    }

    @Test("too few for all processes: it is said, and those that can be there work")
    func processes() async throws {
        try await ProcessBench.with { bench in
            let supervisor = try start(40, ["--processes", "20"], bench)
            try await supervisor.says("ulimit -n")
            try await supervisor.says("is ready")
            let sum = try await bench.chard("send", "interop.add", "--args", "[1,2]", "--wait", "20")
            #expect(sum.status == 0, "\(sum)")
            supervisor.signal(SIGTERM)
            #expect(try await supervisor.finished() == 0, "\(supervisor.talk)")
        }
    }
}
