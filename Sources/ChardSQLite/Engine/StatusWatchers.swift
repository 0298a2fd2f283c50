// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// Who waits for statuses. Lives on the engine's thread.
///
/// Statuses are numbered as they are stored, so one query finds all that is new, whoever stored it and however many wait.
struct StatusWatchers {
    typealias Watcher = @Sendable (Result<[UInt8], BrokerError>) -> Void

    private var watchers: [String: [Int: Watcher]] = [:]
    private var count = 0
    /// The number of the last status that was told.
    private var last: Int64 = 0

    var isEmpty: Bool { watchers.isEmpty }

    /// Tells `watcher` the stored status, and from now on each new one. Returns the watcher's number.
    mutating func add(_ id: String, _ watcher: @escaping Watcher, _ db: Database) throws -> Int {
        // The others are told first, so that nobody misses what came in between.
        if isEmpty { last = try StoredStatus.last(db) } else { try tell(db) }
        let stored = try StoredStatus.json(db, of: id, now: Date())
        count += 1
        watchers[id, default: [:]][count] = watcher
        if let stored { watcher(.success(stored)) }
        return count
    }

    mutating func remove(_ id: String, _ number: Int) {
        watchers[id]?[number] = nil
        if watchers[id]?.isEmpty == true { watchers[id] = nil }
    }

    /// Tells what is new.
    mutating func tell(_ db: Database) throws {
        guard !isEmpty else { return }
        let news = try StoredStatus.news(db, since: last) { watchers[$0] != nil }
        last = news.last
        for (id, json) in news.1 {
            for watcher in (watchers[id] ?? [:]).values { watcher(.success(json)) }
        }
    }

    /// Begins anew, with another file.
    mutating func forgetWhatWasTold() {
        last = 0
    }

    /// Ends all waiting.
    mutating func fail(_ error: BrokerError) {
        for watcher in watchers.values.flatMap(\.values) { watcher(.failure(error)) }
        watchers = [:]
    }
}
