// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import TestServers
import Testing

@Suite("Odd messages that a Celery worker was tried with, on a worker process", .timeLimit(.minutes(3)))
struct AcceptanceTests {
    @Test("all 47 end as a run, a failure under their id or a dead letter, and the worker goes on")
    func all() async throws {
        let fixture = try Fixtures.named("worker-acceptance")
        #expect(fixture["cases"]?.array?.compactMap { $0["case"]?.string } == AcceptanceCase.all.map(\.name))
        #expect(AcceptanceCase.all.count == 47)
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "4")
            let messages = try AcceptanceCase.all.map { try $0.message(fixture) }
            let ends = try await bench.feed(messages.map(\.payload), to: worker)
            for ((test, message), end) in zip(zip(AcceptanceCase.all, messages), ends) {
                try await check(test, message.id, end, on: bench)
            }
            let letters = try await bench.broker.deadLetters(in: "celery", limit: 100)
            #expect(letters.count == AcceptanceCase.all.count { $0.outcome.isKept })
            #expect(letters.allSatisfy { !$0.error.isEmpty && $0.worker.hasPrefix("interop@") })
            try await ProcessFigures.calm(of: worker.id)
            // All of them but the one that waits, and the addition, each once.
            try await bench.stop(worker, done: 47)
        }
    }

    private func check(_ test: AcceptanceCase, _ id: String?, _ end: Inquest.End, on bench: ProcessBench) async throws {
        let status: TaskStatus? = if let id { try await bench.broker.status(of: id) } else { nil }
        switch test.outcome {
        case .success(let value):
            #expect(end == .stored(.success), "\(test.name)")
            #expect(status?.result == value, "\(test.name)")
        case .failure(let type, let reason):
            #expect(end == reason.map { .letter($0) } ?? .stored(.failure), "\(test.name)")
            #expect(status?.state == .failure, "\(test.name)")
            #expect(status?.error?.type == type, "\(test.name)")
        case .letter(let reason):
            #expect(end == .letter(reason), "\(test.name)")
            #expect(status == nil, "\(test.name)")
        case .scheduled:
            #expect(end == .scheduled, "\(test.name)")
            #expect(status == nil, "\(test.name)")
        }
    }
}

extension AcceptanceCase.Outcome {
    /// Whether a dead letter is part of it.
    var isKept: Bool {
        switch self {
        case .failure(_, let reason): reason != nil
        case .letter: true
        case .success, .scheduled: false
        }
    }
}
