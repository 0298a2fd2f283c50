// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Keeps SQLite's log short. It lives on the engine's thread.
///
/// After a commit SQLite copies the log into the file and, if nothing was added meanwhile, begins it anew. While several
/// processes write, something always is, and the log would grow for as long as they do.
struct WriteAheadLog {
    /// How long it may become before SQLite copies it: 2048 pages.
    static let length = 8 << 20

    let path: String
    let wait: BusyWait
    /// When a log that is too long is next looked after, and the pause after that if it is in vain: somebody may read in one
    /// transaction for minutes.
    private var limitsAt = ContinuousClock.now
    private var pause = shortest
    private static let shortest = Duration.milliseconds(20)

    init(path: String, wait: BusyWait) {
        self.path = path
        self.wait = wait
    }

    /// Begins a log that is too long anew: whoever wants to add to it is kept waiting for as long as it is copied.
    mutating func limit(_ db: Database) {
        guard limitsAt <= .now, SystemFile(path).size > Self.length + Self.length / 4 else { return }
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
            if (try? wait.briefly { try db.checkpoint(.restart) }) != nil { return true }
            // SQLite waits for those who write or read, but not for another one who copies.
            BusyWait.pause(try: count)
            count += 1
        } while .now < deadline
        return false
    }

    /// Copies what is in the log and empties it, unless it is short, or somebody is at it.
    func empty(_ db: Database) {
        guard SystemFile(path).size > Self.length / 4 else { return }
        _ = try? wait.briefly { try db.checkpoint(.truncate) }
    }
}
