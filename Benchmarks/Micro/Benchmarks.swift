// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import Chard

/// What a message costs on its way, by itself: without a network, a worker's loops or other threads.
///
/// The benchmark package calls this. The names are those of the files in `Benchmarks/Thresholds`.
func benchmarks() -> [Benchmark?] {
    do {
        return try messageBenchmarks() + wireBenchmarks()
    } catch {
        return [Benchmark("Setup") { $0.error("the samples cannot be made: \(error)") }]
    }
}

private func messageBenchmarks() throws -> [Benchmark?] {
    let own = try Sample.call().encoded()
    let app = Chard("micro", broker: MemoryBroker())
    app.add(EncodeOnly())
    let add = app.task("interop.add") { (x: Int, y: Int) in x + y }
    return [
        measure("DecodeOwn") { try TaskMessage(decoding: own).decodeBody() },
        measure("DecodeCelery") { try TaskMessage(decoding: Sample.celery).decodeBody() },
        measure("Encode") { try Sample.call().encoded() },
        measure("Enqueue", messages: batchCount) {
            try await app.enqueue((0..<batchCount).map { try add.signature($0, 3) })
        },
    ]
}

/// Encodes what is enqueued and lets none of it go further.
private struct EncodeOnly: Middleware {
    func enqueue(
        _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
    ) async throws -> Enqueued {
        for message in messages { blackHole(message.encoded()) }
        return Enqueued(messages, placement: .queued)
    }
}
