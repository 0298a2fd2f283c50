// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Keeps messages for a broker that is away, in memory and up to a limit, and sends them in order when it is back.
///
/// What is kept here is lost with the process, and what was cut off in the middle of being sent may be sent twice: a
/// program asks for this where it would rather lose a task than wait or fail.
final class SendBuffer: Sendable {
    /// Messages that a broker takes or refuses together, being for the same place.
    private struct Line {
        let place: Place
        var messages: [OutgoingMessage] = []
        /// Why the broker does not take them, where waiting does not help.
        var refusal: (any Error)?
    }

    private struct Place: Hashable {
        let queue: String
        let priority: Int
        let isDelayed: Bool

        init(of message: OutgoingMessage) {
            queue = message.queue
            priority = message.priority
            isDelayed = message.dueAt != nil
        }
    }

    private struct State {
        /// In the order in which their first messages came; none is empty.
        var lines: [Line] = []
        var isFlushing = false

        var count: Int { lines.reduce(0) { $0 + $1.messages.count } }

        func line(for place: Place) -> Int? { lines.firstIndex { $0.place == place } }
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { state.withLock { $0.count } }

    /// Sends messages, or keeps them.
    /// - Throws: The broker's error where waiting does not help, or where the buffer is full.
    func send(_ messages: [OutgoingMessage], to broker: any Broker) async throws -> [Placement] {
        // What is kept for the same place goes first.
        if state.withLock({ state in messages.allSatisfy { state.line(for: Place(of: $0)) == nil } }) {
            do {
                return try await broker.send(messages)
            } catch let error as BrokerError where error.isRetryable {
                try keep(messages, because: error)
            }
        } else {
            try keep(messages, because: nil)
        }
        flush(to: broker)
        return Array(repeating: .buffered, count: messages.count)
    }

    private func keep(_ messages: [OutgoingMessage], because error: BrokerError?) throws {
        try state.withLock { state in
            for line in messages.compactMap({ state.line(for: Place(of: $0)) }) {
                if let refusal = state.lines[line].refusal { throw refusal }
            }
            guard state.count + messages.count <= limit else {
                throw BrokerError(
                    .unavailable, "the broker is away and the buffer of \(limit) messages is full", underlying: error)
            }
            for message in messages {
                let place = Place(of: message)
                if let line = state.line(for: place) {
                    state.lines[line].messages.append(message)
                } else {
                    state.lines.append(Line(place: place, messages: [message]))
                }
            }
        }
    }

    private func flush(to broker: any Broker) {
        let starts = state.withLock { state in
            defer { state.isFlushing = true }
            return !state.isFlushing
        }
        guard starts else { return }
        Task {
            while let places = places() {
                var pause: Duration? = .seconds(5)
                round: for place in places {
                    switch await sendSome(of: place, to: broker) {
                    case .done:
                        pause = nil
                    case .refused:
                        continue
                    case .away:
                        pause = .milliseconds(200)
                        break round
                    case .over:
                        return state.withLock { $0.isFlushing = false }
                    }
                }
                if let pause { try? await Task.sleep(for: pause) }
            }
        }
    }

    /// Where messages are waiting to go; `nil`, and the flush is over, where there are none.
    private func places() -> [Place]? {
        state.withLock { state in
            if state.lines.isEmpty { state.isFlushing = false }
            return state.lines.isEmpty ? nil : state.lines.map(\.place)
        }
    }

    /// Waits until everything that was kept is sent, for as long as `limit` at most. Returns the ids of what was not.
    func finish(within limit: Duration) async -> [String] {
        let deadline = ContinuousClock.now + limit
        while count > 0, .now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
        return state.withLock { $0.lines.flatMap { $0.messages.map(\.id) } }
    }

    private enum Attempt {
        case done
        /// Others may go all the same.
        case refused
        case away
        /// The broker was shut down.
        case over
    }

    /// Sends the first messages for one place: all of them are written, or none.
    private func sendSome(of place: Place, to broker: any Broker) async -> Attempt {
        let batch = state.withLock { state in
            state.line(for: place).map { Array(state.lines[$0].messages.prefix(500)) } ?? []
        }
        do {
            try await broker.send(batch)
            state.withLock { state in
                guard let line = state.line(for: place) else { return }
                state.lines[line].messages.removeFirst(batch.count)
                state.lines[line].refusal = nil
                if state.lines[line].messages.isEmpty { state.lines.remove(at: line) }
            }
            return .done
        } catch let error as BrokerError where error.isRetryable {
            return .away
        } catch {
            state.withLock { state in
                if let line = state.line(for: place) { state.lines[line].refusal = error }
            }
            return (error as? BrokerError)?.code == .closed ? .over : .refused
        }
    }
}
