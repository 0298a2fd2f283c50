// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

/// Lets few tests of the suites that have it run at once: each has processes of its own to play, and would
/// hold each other up for so long that nothing could be said about times.
struct FewAtATime: SuiteTrait, TestTrait, TestScoping {
    private static let turnstile = Turnstile(places: 4)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.turnstile.enter()
        defer { Self.turnstile.leave() }
        try await function()
    }
}

extension Trait where Self == FewAtATime {
    static var fewAtATime: FewAtATime { FewAtATime() }
}

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
