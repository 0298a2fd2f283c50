// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Keeps messages for a broker that is away, in memory and up to a limit, and sends them in order when it is back.
///
/// What is kept here is lost with the process, and what was cut off in the middle of being sent may be sent twice: a
/// program asks for this where it would rather lose a task than wait or fail.
final class SendBuffer: Sendable {
    private struct State {
        var messages: [OutgoingMessage] = []
        var isFlushing = false
        /// Why what is kept cannot be sent, where waiting does not help.
        var failure: (any Error)?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { state.withLock { $0.messages.count } }

    /// Sends messages, or keeps them.
    /// - Throws: The broker's error where waiting does not help, or where the buffer is full.
    func send(_ messages: [OutgoingMessage], to broker: any Broker) async throws {
        // What is kept goes first.
        if count == 0 {
            do {
                return try await broker.send(messages)
            } catch let error as BrokerError where error.isRetryable {
                try keep(messages, because: error)
            }
        } else {
            if let failure = state.withLock({ $0.failure }) { throw failure }
            try keep(messages, because: nil)
        }
        flush(to: broker)
    }

    private func keep(_ messages: [OutgoingMessage], because error: BrokerError?) throws {
        let isKept = state.withLock { state in
            guard state.messages.count + messages.count <= limit else { return false }
            state.messages += messages
            return true
        }
        guard isKept else {
            throw BrokerError(
                .unavailable, "the broker is away and the buffer of \(limit) messages is full", underlying: error)
        }
    }

    private func flush(to broker: any Broker) {
        let starts = state.withLock { state in
            defer { state.isFlushing = true }
            return !state.isFlushing
        }
        guard starts else { return }
        Task {
            while let batch = next() {
                do {
                    try await broker.send(batch)
                    state.withLock { state in
                        state.messages.removeFirst(batch.count)
                        state.failure = nil
                    }
                } catch {
                    let mayPass = (error as? BrokerError)?.isRetryable ?? false
                    state.withLock { $0.failure = mayPass ? nil : error }
                    try? await Task.sleep(for: .milliseconds(mayPass ? 200 : 5_000))
                }
            }
        }
    }

    private func next() -> [OutgoingMessage]? {
        state.withLock { state in
            guard !state.messages.isEmpty else {
                state.isFlushing = false
                return nil
            }
            return Array(state.messages.prefix(500))
        }
    }
}
