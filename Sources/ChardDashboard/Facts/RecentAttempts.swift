// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The last attempts of the history, read on at each look: a look costs what has ended since the last one, however much is kept.
///
/// What went wrong and what went well are kept apart, so that a thousand successes a second do not drive out the failures.
actor RecentAttempts {
    private let app: Chard
    private var good: [Attempt] = []
    private var bad: [Attempt] = []
    private var cursor: HistoryCursor?
    private var sorted: [Attempt]?
    private var reading: Task<Void, any Error>?
    private var readAt: ContinuousClock.Instant?
    /// Whether some have been dropped here that the history may still have.
    private(set) var isCut = false

    /// So many of either kind are kept.
    static var most: Int { 10_000 }
    private static var page: Int { 5_000 }
    private static var maxAge: Duration { .seconds(1) }

    init(_ app: Chard) {
        self.app = app
    }

    /// The attempts, the newest first.
    func all() async throws -> [Attempt] {
        if readAt.map({ $0.duration(to: .now) >= Self.maxAge }) ?? true {
            // One reading for all who look. On its own: whoever asked first may leave.
            let task = reading ?? Task { try await self.read() }
            reading = task
            try await task.value
        }
        if let sorted { return sorted }
        let all = (good + bad).sorted { $0.endedAt > $1.endedAt }
        sorted = all
        return all
    }

    /// Reads on at the next look, however soon: something was changed.
    func forget() { readAt = nil }

    private func read() async throws {
        defer { reading = nil }
        let broker = try app.broker.with(.history)
        while true {
            let page = try await broker.attempts(after: cursor, limit: Self.page)
            cursor = page.cursor
            good += page.attempts.filter(\.end.isGood)
            bad += page.attempts.filter { !$0.end.isGood }
            if good.count > Self.most * 2 || bad.count > Self.most * 2 { cut() }
            if !page.attempts.isEmpty { sorted = nil }
            // The rest is little, and read at the next look: who waits for this one must not wait for those who write.
            if page.attempts.count < Self.page { break }
        }
        if good.count > Self.most || bad.count > Self.most { cut() }
        readAt = .now
    }

    private func cut() {
        isCut = true
        good.removeFirst(max(0, good.count - Self.most))
        bad.removeFirst(max(0, bad.count - Self.most))
    }
}
