// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One line of the ledger: something that a worker process did.
public struct LedgerLine: Sendable {
    /// What it did.
    public enum Word: String, Sendable {
        /// A body started.
        case start
        /// A body returned.
        case finish
        /// A body threw its cancellation.
        case cancelled
        /// A body threw something else.
        case failed
        /// The process was alive.
        case pulse
    }

    /// What was done.
    public var word: Word
    /// The task's id.
    public var id: String
    /// The run's own number, unique among all runs of all processes.
    public var run: String
    /// The process.
    public var pid: Int32
    /// When, in seconds by the machine's monotonic clock, which all its processes share.
    public var at: Double

    /// The present time by the ledger's clock.
    public static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Makes a line.
    public init(_ word: Word, id: String, run: String, pid: Int32 = getpid(), at: Double = LedgerLine.now) {
        self.word = word
        self.id = id
        self.run = run
        self.pid = pid
        self.at = at
    }

    /// Reads a line; `nil` if it is none, as where a process died in the middle of its write.
    init?(_ text: Substring) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, let word = Word(rawValue: String(words[0])), let pid = Int32(words[3]),
            let at = Double(words[4])
        else { return nil }
        self.init(word, id: String(words[1]), run: String(words[2]), pid: pid, at: at)
    }

    /// The line with its end; the last word, the time of day, is for people.
    var text: String { "\(word.rawValue) \(id) \(run) \(pid) \(at) \(Date().timeIntervalSince1970)\n" }
}
