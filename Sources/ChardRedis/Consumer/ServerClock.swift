// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The server's clock as it was last heard of, carried on by the clock that nobody sets: while this machine's wall clock is
/// set right, or wrong, no task expires and none is put off.
struct ServerClock {
    /// One look at both of this machine's clocks.
    struct Reading {
        /// Seconds since 1970 by the clock on the wall.
        var wall: Double
        var at: ContinuousClock.Instant

        static var now: Reading { Reading(wall: Date().timeIntervalSince1970, at: .now) }
    }

    private var known: (time: Double, at: ContinuousClock.Instant)?

    /// Takes a time that the server told at some moment between `asked` and `answered`, in seconds since 1970.
    ///
    /// A time between the two says nothing against clocks that agree: a slow answer must not look like a wrong clock, or
    /// what the server finds due would seem too early here.
    mutating func told(_ server: Double, asked: Reading, answered: Reading) {
        let agrees = asked.wall <= server && server <= answered.wall
        let offset = agrees ? 0 : server - (asked.wall + answered.wall) / 2
        known = (answered.wall + offset, answered.at)
    }

    /// By how many seconds the server's clock has been set since it was last heard of, where that is more than a few: told so,
    /// at some moment before `answered`. Call it before ``told(_:asked:answered:)``.
    func jump(to server: Double, answered: Reading) -> Double? {
        guard let known else { return nil }
        let jump = server - known.time - (answered.at - known.at) / .seconds(1)
        return abs(jump) > 10 ? jump : nil
    }

    /// By how many seconds the server's clock is ahead of this machine's.
    func offset(at now: Reading = .now) -> Double {
        guard let known else { return 0 }
        return known.time + (now.at - known.at) / .seconds(1) - now.wall
    }
}
