// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A result that is set once, by whoever comes first, and told once to whoever waits; the order of the two is free.
final class OneShot<Value: Sendable>: Sendable {
    typealias Completion = @Sendable (Result<Value, RedisError>) -> Void

    private enum State {
        case new
        case awaited(Completion)
        /// The result is kept only for a completion that has yet to come.
        case finished(Result<Value, RedisError>?)
    }

    private let state = Mutex(State.new)

    /// Sets who is told; at once if there is a result already.
    func whenComplete(_ completion: @escaping Completion) {
        let known: Result<Value, RedisError>? = state.withLock { state in
            if case .finished(let result) = state { return result }
            state = .awaited(completion)
            return nil
        }
        if let known { completion(known) }
    }

    /// Sets the result; false if there was one before.
    @discardableResult
    func complete(_ result: Result<Value, RedisError>) -> Bool {
        let before = state.withLock { state in
            let before = state
            if case .new = before { state = .finished(result) } else { state = .finished(nil) }
            return before
        }
        switch before {
        case .new: return true
        case .finished: return false
        case .awaited(let completion):
            completion(result)
            return true
        }
    }

    var isFinished: Bool {
        state.withLock { if case .finished = $0 { true } else { false } }
    }
}
