// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB

/// Who waits for statuses. Lives on the engine's thread.
///
/// Statuses are numbered as they are stored, so one query finds all that is new, whoever stored it and however many wait.
struct StatusWatchers {
    private var listeners = StatusListeners()
    /// The number of the last status that was told.
    private var last: Int64 = 0

    var isEmpty: Bool { listeners.isEmpty }

    /// Tells `listener` the stored status, and from now on each new one. Returns the listener's number.
    mutating func add(_ id: String, _ listener: @escaping StatusListener, _ db: Database) throws -> Int {
        // The others are told first, so that nobody misses what came in between.
        if isEmpty { last = try StoredStatus.last(db) } else { try tell(db) }
        let stored = try StoredStatus.json(db, of: id, now: Date())
        let number = listeners.add(id, listener)
        if let stored { listener(Result { try TaskStatus(reading: stored) }) }
        return number
    }

    mutating func remove(_ id: String, _ number: Int) {
        listeners.remove(id, number)
    }

    /// Tells what is new.
    mutating func tell(_ db: Database) throws {
        guard !isEmpty else { return }
        let news = try StoredStatus.news(db, since: last, of: listeners.waits)
        last = news.last
        for (id, json) in news.1 { listeners.news(of: id, json)?() }
    }

    /// Begins anew, with another file.
    mutating func forgetWhatWasTold() {
        last = 0
    }

    /// Ends all waiting.
    mutating func fail(_ error: BrokerError) {
        listeners.fail(error)
    }
}
