// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The state of a ``FirstAnswer``, for whoever guards it in a place of its own.
///
/// A value, for what is made for each command: the runtime looks up the types of a generic class whenever an object of it is made or
/// destroyed, which took a tenth of a call. Those of a value are known where it is compiled.
@frozen
package enum PendingAnswer<Value: Sendable, Failure: Error>: Sendable {
    package typealias Listener = @Sendable (Result<Value, Failure>) -> Void

    case open
    case awaited(Listener)
    /// The answer is kept only for a listener that has yet to come.
    case given(Result<Value, Failure>?)

    /// What is to be done for an answer, once nothing is locked any more.
    @frozen
    package enum Consequence: Sendable {
        /// The answer is kept.
        case kept
        /// There was one before.
        case late
        case told(Listener)

        /// Tells who waits, if anybody does. Returns whether the answer counts.
        @inlinable
        package func tell(_ answer: Result<Value, Failure>) -> Bool {
            switch self {
            case .kept: return true
            case .late: return false
            case .told(let listener):
                listener(answer)
                return true
            }
        }
    }

    /// Takes an answer.
    @inlinable
    package mutating func give(_ answer: Result<Value, Failure>) -> Consequence {
        switch self {
        case .open:
            self = .given(answer)
            return .kept
        case .awaited(let listener):
            self = .given(nil)
            return .told(listener)
        case .given:
            return .late
        }
    }

    /// Takes whom to tell. Returns the answer, if there is one already.
    @inlinable
    package mutating func await(_ listener: @escaping Listener) -> Result<Value, Failure>? {
        if case .given(let answer) = self { return answer }
        self = .awaited(listener)
        return nil
    }

    @inlinable
    package var isGiven: Bool {
        if case .given = self { true } else { false }
    }
}
