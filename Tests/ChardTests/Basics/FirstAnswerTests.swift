// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Chard

@Suite("The first answer of several")
struct FirstAnswerTests {
    @Test("counts, and is told once, whoever comes first", arguments: [true, false])
    func order(isAwaited: Bool) {
        let answer = FirstAnswer<Int, AppError>()
        let told = Mutex<[Int?]>([])
        let listen = { answer.whenGiven { result in told.withLock { $0.append(try? result.get()) } } }
        if isAwaited { listen() }
        #expect(!answer.isGiven)
        #expect(answer.give(.success(1)))
        #expect(!answer.give(.success(2)))
        if !isAwaited { listen() }
        #expect(!answer.give(.failure(AppError("late"))))
        #expect(answer.isGiven && told.withLock { $0 } == [1])
    }

    @Test("who waits for it gets it, or the end of its own patience")
    func waiting() async throws {
        let given = FirstAnswer<Int, any Error>()
        given.give(.success(1))
        #expect(try await given.value() == 1)
        let open = FirstAnswer<Int, any Error>()
        let waiting = Task { try await open.value() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        #expect(!open.give(.success(2)))
    }
}
