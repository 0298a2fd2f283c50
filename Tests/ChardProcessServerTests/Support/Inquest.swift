// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

/// Finds out from the server what became of messages that were pushed raw: of each of them something must have.
struct Inquest {
    /// What became of one.
    enum End: Hashable {
        /// Its bytes are kept as a dead letter, for this reason.
        case letter(DeadLetter.Reason)
        /// A final state is stored under the id that it names.
        case stored(TaskState)
        /// It waits for its time, unchanged.
        case scheduled
        /// It says itself that no result is to be stored.
        case silent
        /// Nothing at all.
        case lost
    }

    private let bench: ProcessBench

    init(_ bench: ProcessBench) {
        self.bench = bench
    }

    /// What became of each, in the same order.
    func ends(of payloads: [[UInt8]]) async throws -> [End] {
        var letters: [[UInt8]: [DeadLetter]] = [:]
        for letter in try await bench.broker.deadLetters(in: "celery", limit: .max) {
            letters[letter.payload, default: []].append(letter)
        }
        let scheduled = Set(
            try await bench.redis(RedisCommand("HVALS", "chard:{celery}:delayed-messages")).array?
                .compactMap(\.bytes).map { Array($0.dropFirst()) } ?? [])
        var ends: [End] = []
        for payload in payloads {
            if let letter = letters[payload]?.popLast() {
                ends.append(.letter(letter.reason))
            } else if scheduled.contains(payload) {
                ends.append(.scheduled)
            } else {
                ends.append(try await storedEnd(of: payload))
            }
        }
        return ends
    }

    private func storedEnd(of payload: [UInt8]) async throws -> End {
        guard let envelope = try? JSON(parsing: payload) else { return .lost }
        let headers = envelope["headers"]
        if headers?["ignore_result"] == true { return .silent }
        var id = headers?["id"]?.string
        // Without a task in the headers it may be of protocol 1, with everything in the body.
        if headers?["task"]?.string?.isEmpty ?? true {
            let body = envelope["body"]?.string ?? ""
            let bytes = Data(base64Encoded: body).map(Array.init) ?? Array(body.utf8)
            id = (try? JSON(parsing: bytes))?["id"]?.string
        }
        guard let id, let status = try await bench.broker.status(of: id), status.state.isReady else { return .lost }
        return .stored(status.state)
    }
}

extension ProcessBench {
    /// Pushes messages to a worker, and waits until it is through with them and answers as if nothing had been.
    ///
    /// - Returns: What became of each.
    func feed(
        _ payloads: [[UInt8]], to worker: Program, within limit: Duration = .seconds(60)
    ) async throws -> [Inquest.End] {
        try await push(payloads)
        try await isThrough(worker, within: limit)
        return try await Inquest(self).ends(of: payloads)
    }

    /// Waits until nothing is left on the queue or leased; then the worker must be there, and add.
    func isThrough(_ worker: Program, within limit: Duration = .seconds(60)) async throws {
        do {
            try await eventually("the worker is through", within: limit) {
                if let status = worker.status { throw TestServerError("the worker ended with \(status)") }
                return try await isQuiet()
            }
        } catch {
            throw TestServerError("\(error); the worker said:\n\(worker.talk)")
        }
        #expect(try await app.send("interop.add", Arguments([2, 3])).value(timeout: .seconds(20)) == 5)
        #expect(worker.status == nil)
    }
}

extension Sequence where Element: Hashable {
    /// How often each element occurs.
    var tally: [Element: Int] { reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}
