// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import TestServers
import Testing

@Suite("Noise on a worker process's queue", .timeLimit(.minutes(3)))
struct NoiseTests {
    @Test("random bytes, invalid UTF-8 and empty elements: every one is kept as a dead letter")
    func noise() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "4")
            var mutator = Mutator(seed: 11)
            var payloads = (0..<1_000).map { _ in mutator.noise(upTo: 400) }
            payloads += (0..<4).map { mutator.noise(upTo: $0 << 20) }
            payloads += [[], [], [], [0], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], Array("null".utf8)]
            let ends = try await bench.feed(payloads, to: worker)
            #expect(ends.tally == [.letter(.malformed): payloads.count])
            #expect(try await bench.broker.deadLetters(in: "celery", limit: .max).count == payloads.count)
            try await staysModest(worker)
            try await bench.stop(worker, done: payloads.count + 1)
        }
    }

    @Test("2,000 messages that are nearly right: each runs, fails under its id or is kept")
    func nearlyRight() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "4")
            var mutator = Mutator(seed: 12)
            let originals = try Fixtures.messages()
            let payloads = (0..<2_000).map { mutator.mutated(originals[$0 % originals.count]) }
            let ends = try await bench.feed(payloads, to: worker).tally
            #expect(ends[.lost] == nil)
            // Or the messages were not as nearly right as they should be.
            #expect(ends[.stored(.success), default: 0] > 100, "\(ends)")
            #expect(ends[.letter(.malformed), default: 0] > 100, "\(ends)")
            for end in [
                .letter(.notRegistered), .letter(.badArguments), .letter(.refusedContent),
                .letter(.badWorkflow), .stored(.revoked), .scheduled,
            ] as [Inquest.End] {
                #expect(ends[end, default: 0] > 0, "\(ends)")
            }
            try await staysModest(worker)
            // What follows those that ask for something to follow has run, too.
            try await bench.stop(worker)
        }
    }

    @Test("text that is not UTF-8, wherever it stands in a message")
    func invalidText() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "4")
            var payloads: [[UInt8]] = []
            for place in ["interop.add", "\"id\"", "application/json", "base64", "\"routing_key\":\"celery\"", "W1t"] {
                for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]]
                    as [[UInt8]]
                {
                    let message = RawMessage("interop.add", [2, 3])
                    payloads.append(message.payload(replacing: place, with: bytes))
                    payloads.append(
                        message.payload(replacing: place, with: Array("\"".utf8) + bytes + Array("\"".utf8)))
                    payloads.append(message.payload(replacing: message.id, with: bytes))
                }
            }
            let text = RawMessage("interop.echo", ["text"])
            var raw = text
            raw.body = Array(#"[["\#u{0}"#.utf8) + [0xFF, 0xFE] + Array(#""],{},{}]"#.utf8)
            payloads.append(raw.payload)
            let ends = try await bench.feed(payloads, to: worker)
            #expect(!ends.contains(.lost), "\(ends.tally)")
            #expect(ends.last == .letter(.malformed))
            try await bench.stop(worker, done: payloads.count + 1)
        }
    }

    private func staysModest(_ worker: Program) async throws {
        try await ProcessFigures.calm(of: worker.id)
        let figures = try ProcessFigures(of: worker.id)
        #expect(figures.peak < 150 << 20, "\(figures)")
    }
}
