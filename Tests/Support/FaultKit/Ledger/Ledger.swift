// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What all worker processes of a round have done, read from their files.
public struct Ledger: Sendable {
    /// One run of one task.
    public struct Run: Sendable {
        /// The task's id.
        public var id: String
        /// The process.
        public var pid: Int32
        /// When it started.
        public var start: Double
        /// When it ended; of a run that was cut short, when its process was last seen alive.
        public var end: Double
        /// How it ended; `nil` if it was cut short or goes on.
        public var ending: LedgerLine.Word?
    }

    /// The runs, in the order in which they started.
    public private(set) var runs: [Run] = []
    /// When each process was last seen alive.
    public private(set) var lastSeen: [Int32: Double] = [:]

    /// Reads all there is.
    public init(in directory: String) {
        var found: [String: Run] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
            let data = FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data()
            for text in String(decoding: data, as: UTF8.self).split(separator: "\n") {
                guard let line = LedgerLine(text) else { continue }
                lastSeen[line.pid] = max(line.at, lastSeen[line.pid] ?? 0)
                switch line.word {
                case .pulse: break
                case .start: found[line.run] = Run(id: line.id, pid: line.pid, start: line.at, end: line.at)
                case .finish, .cancelled, .failed:
                    found[line.run]?.end = line.at
                    found[line.run]?.ending = line.word
                }
            }
        }
        runs = found.values.map { [lastSeen] run in
            var run = run
            if run.ending == nil { run.end = max(run.end, lastSeen[run.pid] ?? 0) }
            return run
        }.sorted { $0.start < $1.start }
    }

    /// The runs of one task.
    public func runs(of id: String) -> [Run] { runs.filter { $0.id == id } }

    /// How many runs began while another of the same task went on.
    public var overlapping: Int {
        var ends: [String: Double] = [:]
        var count = 0
        for run in runs {
            if let end = ends[run.id], run.start < end { count += 1 }
            ends[run.id] = max(run.end, ends[run.id] ?? 0)
        }
        return count
    }

    /// How many runs there were beyond the first of each task.
    public var again: Int { runs.count - Set(runs.map(\.id)).count }

    /// How long after `time` the first run of a task began that is not yet begun by then.
    public func firstStart(of id: String, after time: Double) -> Double? {
        runs.first { $0.id == id && $0.start > time }.map { $0.start - time }
    }
}
