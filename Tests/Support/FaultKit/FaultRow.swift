// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import TestServers

/// One way to break things, and what is expected all the same.
public struct FaultRow: Sendable, CustomStringConvertible {
    /// Its name in tables and on the command line.
    public let name: String
    /// What is done.
    public let about: String
    /// How many rounds the short form makes.
    public let shortRounds: Int
    /// How many rounds the long form makes unless it is told otherwise.
    public let longRounds: Int
    /// The longest recovery that is in order, in seconds.
    public let longestRecovery: Double
    /// Whether two runs of a task may overlap: only where a stopped worker wakes up in the middle of a body.
    public let mayOverlap: Bool

    private let place: FaultRig.Place
    private let round: @Sendable (FaultRig) async throws -> Void

    init(
        _ name: String, _ about: String, short: Int = 1, long: Int, recovery: Double = 20, mayOverlap: Bool = false,
        server: RedisServer.Configuration = .init(), hasSentinels: Bool = false,
        _ round: @escaping @Sendable (FaultRig) async throws -> Void
    ) {
        self.name = name
        self.about = about
        shortRounds = short
        longRounds = long
        longestRecovery = recovery
        self.mayOverlap = mayOverlap
        place = hasSentinels ? .sentinels : .server(server)
        self.round = round
    }

    /// All rows, the most important first.
    public static let all: [FaultRow] =
        kills + pools + stops + outages + ways + answers + [
            failover, rights, poison, hardLimit, workflows, malformed, fleet, mixedFleet, wrongClock, memory,
        ]

    /// The name.
    public var description: String { name }

    /// Plays rounds, several at once, each with a server and workers of its own.
    ///
    /// - Parameters:
    ///   - isLong: Whether a round may take its time.
    ///   - atOnce: How many rounds are under way at once.
    ///   - progress: Told the outcome so far, after each round.
    public func run(
        rounds: Int, isLong: Bool, atOnce: Int, progress: @Sendable (FaultOutcome) -> Void = { _ in }
    ) async -> FaultOutcome {
        await withTaskGroup(of: FaultOutcome.self) { group in
            var outcome = FaultOutcome()
            for number in 0..<rounds {
                if number >= atOnce, let one = await group.next() {
                    outcome += one
                    progress(outcome)
                }
                group.addTask { await FaultRig.play(number, isLong: isLong, on: place, round) }
            }
            for await one in group {
                outcome += one
                progress(outcome)
            }
            return outcome
        }
    }

    /// What of an outcome is not as it should be.
    public func violations(of outcome: FaultOutcome) -> [String] {
        var violations = outcome.problems
        if outcome.lost > 0 { violations.append("\(outcome.lost) tasks were lost") }
        if outcome.overlapping > 0, !mayOverlap { violations.append("\(outcome.overlapping) runs overlapped") }
        if let slowest = outcome.recoveries.max(), slowest > longestRecovery {
            violations.append("a recovery took \(slowest) s, longer than \(longestRecovery) s")
        }
        return violations
    }
}
