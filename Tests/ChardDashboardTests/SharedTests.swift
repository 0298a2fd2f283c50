// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import ChardDashboard

@Suite("What is asked once for all who look", .timeLimit(.minutes(1)))
struct SharedTests {
    private struct Away: Error {}

    private final class Flag: Sendable {
        private let value = Mutex(false)

        var isSet: Bool { value.withLock { $0 } }
        func set(_ isSet: Bool) { value.withLock { $0 = isSet } }
    }

    private final class Source: Sendable {
        let asked = Mutex(0)

        func next() -> Int {
            asked.withLock { asked in
                asked += 1
                return asked
            }
        }
    }

    @Test("Many who look at the same time ask once")
    func once() async throws {
        let source = Source()
        let shared = Shared(maxAge: .seconds(60)) {
            try await Task.sleep(for: .milliseconds(20))
            return source.next()
        }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { try await shared.value() } }
            for try await value in group { #expect(value == 1) }
        }
        await shared.forget()
        #expect(try await shared.value() == 2)
    }

    @Test("A table asks what is asked now, not what was asked first")
    func latest() async throws {
        let table = SharedTable<Int>(maxAge: .zero)
        #expect(try await table.value("page") { 1 } == 1)
        var value = 1
        while value == 1 { value = try await table.value("page") { 2 } }
        #expect(value == 2)
    }

    @Test("What takes long is there at once, a little older, and is asked behind whoever looks")
    func slow() async throws {
        let source = Source()
        let shared = Shared(maxAge: .zero) {
            try await Task.sleep(for: .milliseconds(120))
            return source.next()
        }
        #expect(try await shared.value() == 1)
        let clock = ContinuousClock()
        var longest = Duration.zero
        var value = 1
        while value == 1 {
            let began = clock.now
            value = try await shared.value()
            longest = max(longest, began.duration(to: clock.now))
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(value == 2 && longest < .milliseconds(100))
    }

    @Test("Of a broker that is away is told, and then of the one that is back")
    func away() async throws {
        let isAway = Flag()
        let shared = Shared(maxAge: .zero) {
            if isAway.isSet { throw Away() }
            return 1
        }
        #expect(try await shared.value() == 1)
        isAway.set(true)
        await #expect(throws: Away.self) { while true { _ = try await shared.value() } }
        isAway.set(false)
        #expect(try await shared.value() == 1)
    }

    @Test("What is found out behind whoever looks is kept when it cannot be found out again")
    func background() async throws {
        let isAway = Flag()
        let background = Background(maxAge: .zero) {
            if isAway.isSet { throw Away() }
            return 1
        }
        #expect(await background.value() == nil)
        while await background.value() == nil { await Task.yield() }
        isAway.set(true)
        for _ in 0..<20 {
            #expect(await background.value() == 1)
            await Task.yield()
        }
    }
}
