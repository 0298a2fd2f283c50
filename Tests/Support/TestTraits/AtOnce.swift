// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

/// Lets so many of the tests that share it run at once: those that have workers, servers or processes of their own would
/// hold each other up for so long that nothing could be said about times.
public struct AtOnce: SuiteTrait, TestTrait, TestScoping {
    private let turnstile: Turnstile

    /// So many places.
    public init(_ places: Int) { turnstile = Turnstile(places: places) }

    /// It holds for the tests within a suite.
    public var isRecursive: Bool { true }

    /// Waits for a place.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await turnstile.enter()
        defer { turnstile.leave() }
        try await function()
    }
}

extension Trait where Self == AtOnce {
    /// So many of this suite's tests at once, or of this test's cases.
    public static func atOnce(_ places: Int) -> AtOnce { AtOnce(places) }

    /// Three at once of all tests that have it.
    public static var fewAtATime: AtOnce { few }
}

private let few = AtOnce(3)

private final class Turnstile: Sendable {
    private let state: Mutex<(places: Int, waiters: [CheckedContinuation<Void, Never>])>

    init(places: Int) {
        state = Mutex((places, []))
    }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isIn = state.withLock { state in
                guard state.places > 0 else {
                    state.waiters.append(continuation)
                    return false
                }
                state.places -= 1
                return true
            }
            if isIn { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiters.isEmpty {
                state.places += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }
}
