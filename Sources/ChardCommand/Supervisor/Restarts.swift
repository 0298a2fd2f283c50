// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How long to wait before a child that ended is replaced: not at all, unless it has failed early, again and again.
///
/// A child that cannot start, or that dies of the first thing it does, would otherwise be started as fast as the machine can.
struct Restarts: Sendable {
    /// How a child ended.
    enum End: Sendable {
        /// Before it took work.
        case notReady
        /// With an error or by a signal, after it had worked for so long.
        case failed(after: Duration)
        /// As it was told to, or as its limits say.
        case orderly
    }

    private var failures = 0

    static let longest: Duration = .seconds(30)
    /// Who lived for so long did not die of its start.
    static let early: Duration = .seconds(10)

    /// The wait after a child's end. The first one that dies at its work is replaced at once.
    mutating func delay(after end: End) -> Duration {
        switch end {
        case .orderly:
            failures = 0
            return .zero
        case .failed(let life) where life >= Self.early:
            failures = 0
            return .zero
        case .failed:
            defer { failures += 1 }
            return failures == 0 ? .zero : wait(failures - 1)
        case .notReady:
            defer { failures += 1 }
            return wait(failures)
        }
    }

    private func wait(_ before: Int) -> Duration {
        min(Self.longest, .milliseconds(500) * (1 << min(before, 10)))
    }
}
