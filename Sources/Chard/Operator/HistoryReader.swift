// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Keeps a ``Tally`` of a broker's history up to date, when somebody looks: what is new is read on from where it was.
///
/// The first look begins to read all that is kept, in pieces, behind whoever looks.
package actor HistoryReader {
    /// What is known now.
    package struct Look: Sendable {
        package var tally: Tally
        /// Whether the broker keeps a history at all.
        package var isKept: Bool
        /// Whether all that is kept was read.
        package var isRead: Bool
    }

    private let app: Chard
    private let interval: Duration
    private var tally = Tally()
    private var cursor: HistoryCursor?
    private var isRead = false
    private var reading: Task<Void, Never>?
    private var trouble: (any Error)?
    private var lastRead: ContinuousClock.Instant?

    private static let piece = 1_000

    /// - Parameter interval: It is not read on more often.
    package init(_ app: Chard, interval: Duration = .seconds(1)) {
        self.app = app
        self.interval = interval
    }

    /// What is known, after `patience` at the latest; what is still to be read is read on meanwhile.
    /// - Throws: What kept it from reading, once.
    package func look(patience: Duration = .milliseconds(100)) async throws -> Look {
        guard let store = try app.broker.power(.history), store.historyLimits.isKept else {
            return Look(tally: tally, isKept: false, isRead: true)
        }
        if reading == nil, lastRead.map({ $0.duration(to: .now) >= interval }) ?? true {
            reading = Task { await self.read(store) }
        }
        // The reading goes on by itself, whoever has left.
        let deadline = ContinuousClock.now + patience
        while reading != nil, ContinuousClock.now < deadline, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(5))
        }
        if let trouble {
            self.trouble = nil
            throw trouble
        }
        return Look(tally: tally, isKept: true, isRead: isRead)
    }

    private func read(_ store: any HistoryStore) async {
        defer {
            reading = nil
            lastRead = .now
        }
        tally.forget(now: app.settings.now())
        do {
            while true {
                let page = try await store.attempts(after: cursor, limit: Self.piece)
                let now = app.settings.now()
                for attempt in page.attempts { tally.add(attempt, now: now) }
                cursor = page.cursor
                // The rest is little, and read at the next look: or a reading might never end while many write.
                guard page.attempts.count >= Self.piece else { break }
                await Task.yield()
            }
            isRead = true
        } catch {
            trouble = error
        }
    }
}
