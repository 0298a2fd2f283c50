// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Events on their way: what comes while one batch is being sent makes up the next, so that a single one leaves at once and
/// many leave together. What is more than a server that is slow or away should make a process keep is left out, and counted.
final class EventBuffer: Sendable {
    /// What is sent in one message.
    struct Batch: Sendable {
        /// The events, with commas between.
        var text: [UInt8]
        var count: Int
        /// How many were left out since the last one.
        var leftOut: Int
    }

    private struct State {
        var writer = JSONWriter()
        var count = 0
        var leftOut = 0
        var waiter: CheckedContinuation<Batch?, Never>?
        var isClosed = false
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: How many bytes are kept at most.
    init(limit: Int = 4 << 20) {
        self.limit = limit
    }

    func add(_ count: Int = 1, _ write: (inout JSONWriter) -> Void) {
        let (waiter, batch) = state.withLock { state -> (CheckedContinuation<Batch?, Never>?, Batch?) in
            guard !state.isClosed else { return (nil, nil) }
            guard state.writer.bytes.count < limit else {
                state.leftOut += count
                return (nil, nil)
            }
            write(&state.writer)
            state.count += count
            guard let waiter = state.waiter else { return (nil, nil) }
            state.waiter = nil
            return (waiter, Self.take(&state))
        }
        waiter?.resume(returning: batch)
    }

    /// Counts events that were taken and could not be sent.
    func lose(_ batch: Batch) {
        state.withLock { $0.leftOut += batch.count + batch.leftOut }
    }

    private static func take(_ state: inout State) -> Batch {
        defer {
            state.writer = JSONWriter()
            state.count = 0
            state.leftOut = 0
        }
        return Batch(text: state.writer.bytes, count: state.count, leftOut: state.leftOut)
    }

    /// What is to be sent next; `nil` once closed and empty. For one caller.
    func next() async -> Batch? {
        await withCheckedContinuation { continuation in
            let batch: Batch?? = state.withLock { state in
                if state.count > 0 { return .some(Self.take(&state)) }
                if state.isClosed { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let batch { continuation.resume(returning: batch) }
        }
    }

    /// Lets ``next()`` end once everything was taken.
    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}
