// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Keeps SQLite's log short. It lives in the engine's loop.
///
/// Once the log is long it is copied into the file (a checkpoint) and, if nothing was added meanwhile, written from its start
/// again. While several processes write, something always is added, and the log would grow for as long as they do. SQLite would
/// copy it as part of a commit, that is, in the thread of whoever happens to make it.
struct WriteAheadLog {
    /// How many pages it may have before they are copied: 8 MB.
    static let length = 2048

    let pages: LogPages
    let wait: BusyWait
    /// When to try next to shorten a log that is too long, and how long to wait after another try in vain: somebody who reads
    /// in one transaction for minutes prevents it.
    private var limitsAt = ContinuousClock.now
    private var pause = shortest
    private static let shortest = Duration.milliseconds(20)

    init(pages: LogPages, wait: BusyWait) {
        self.pages = pages
        self.wait = wait
    }

    /// Whether the last commit has left a log that is to be copied.
    var isLong: Bool { pages.count >= Self.length }

    /// Copies a log that is long into the file. Where it has become too long all the same it is also written from its start
    /// again: other writers wait meanwhile.
    mutating func limit(_ db: Database) {
        let count = pages.count
        guard count >= Self.length else { return }
        // The next commit tells how many there are then.
        pages.count = 0
        guard count >= Self.length + Self.length / 4, limitsAt <= .now else {
            _ = try? db.checkpoint(.passive)
            return
        }
        if restart(db) {
            pause = Self.shortest
        } else {
            limitsAt = .now + pause
            pause = min(pause * 2, .seconds(2))
        }
    }

    private func restart(_ db: Database) -> Bool {
        let deadline = ContinuousClock.now + .milliseconds(40)
        var count = 0
        repeat {
            if (try? wait.atMost(.milliseconds(10)) { try db.checkpoint(.restart) }) != nil { return true }
            // SQLite's busy handler waits for writers and readers, but not for a checkpoint of another process.
            BusyWait.pause(try: count)
            count += 1
        } while .now < deadline
        return false
    }

    /// Copies what is in the log and empties it, unless it is short, or somebody reads or writes just now.
    func empty(_ db: Database, at path: String) {
        guard SystemFile(path).size > Self.length * 4096 / 4 else { return }
        _ = try? wait.atMost(.milliseconds(10)) { try db.checkpoint(.truncate) }
    }
}
