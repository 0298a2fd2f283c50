// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import FoundationEssentials

/// The history that a memory broker keeps: a value without a clock.
struct HistoryBook {
    private let limits: HistoryLimits
    /// The oldest first.
    private var attempts: Deque<AttemptRecord> = []
    /// How many have been forgotten: an attempt's number is its place and this.
    private var forgotten = 0
    /// The numbers of a task's attempts.
    private var numbers: [String: [Int]] = [:]

    init(_ limits: HistoryLimits) { self.limits = limits }

    mutating func note(_ new: [AttemptRecord], now: Date) {
        guard limits.isKept else { return }
        for attempt in new {
            numbers[attempt.id, default: []].append(forgotten + attempts.count)
            attempts.append(attempt)
        }
        forget(now: now)
    }

    mutating func attempts(of id: String, now: Date) -> [Attempt] {
        forget(now: now)
        return (numbers[id] ?? []).compactMap { attempts[$0 - forgotten].attempt }
    }

    mutating func attempts(
        since: Date, onlyBad: Bool, limit: Int, now: Date, matching isWanted: (Attempt) -> Bool
    ) -> [Attempt] {
        forget(now: now)
        var found: [Attempt] = []
        for record in attempts.reversed() where found.count < limit {
            guard record.endedAt >= since, !(onlyBad && record.isGood), let attempt = record.attempt else { continue }
            if isWanted(attempt) { found.append(attempt) }
        }
        return found
    }

    mutating func attempts(after cursor: HistoryCursor?, limit: Int, now: Date) -> HistoryPage {
        forget(now: now)
        let first = max(0, (cursor.flatMap { Int($0.text) } ?? 0) - forgotten)
        let page = attempts.dropFirst(first).prefix(limit)
        return HistoryPage(
            page.compactMap(\.attempt), then: HistoryCursor(String(forgotten + min(first, attempts.count) + page.count))
        )
    }

    private mutating func forget(now: Date) {
        let oldest = now.addingTimeInterval(-limits.timeToLive.seconds)
        while let first = attempts.first, attempts.count > limits.attempts || first.endedAt < oldest {
            attempts.removeFirst()
            forgotten += 1
            numbers[first.id]?.removeFirst()
            if numbers[first.id]?.isEmpty == true { numbers[first.id] = nil }
        }
    }
}
