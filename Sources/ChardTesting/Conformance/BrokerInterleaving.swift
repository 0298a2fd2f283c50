// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A random run of what producers, consumers and time do to a broker, checked step by step against a model: nothing is lost,
/// nothing is leased twice at once, nothing comes early, and the order is kept where one is promised.
///
/// ```swift
/// @Test("random interleavings", arguments: 0..<200)
/// func interleaving(_ seed: UInt64) async throws {
///     try await BrokerInterleaving(seed: seed).verify(on: MyFixture())
/// }
/// ```
/// The same seed makes the same run; a failure names it, together with the steps.
public struct BrokerInterleaving: Sendable, CustomStringConvertible {
    /// What the run is drawn from.
    public let seed: UInt64
    /// How many operations there are.
    public let steps: Int
    /// How many consumers there are at a time.
    public let consumers: Int
    /// At most so many of them fall silent, each of which may cost a wait for its recovery.
    public let silences: Int

    /// Makes a run.
    public init(seed: UInt64, steps: Int = 60, consumers: Int = 3, silences: Int = 3) {
        self.seed = seed
        self.steps = steps
        self.consumers = consumers
        self.silences = silences
    }

    /// The seed.
    public var description: String { "interleaving of seed \(seed)" }

    /// Plays the run on a store that nothing else uses.
    /// - Throws: ``BrokerClauseFailure`` at the first step after which something is not as it should be.
    public func verify(on fixture: any BrokerFixture) async throws {
        let trial = Trial(
            description, "Whatever happens in whichever order, nothing is lost, doubled, early or out of order.",
            on: fixture)
        var play = InterleavingPlay(trial, self)
        do {
            try await play.run()
            await trial.end()
        } catch {
            await trial.end()
            guard let failure = error as? BrokerClauseFailure else { throw error }
            throw trial.failure(failure.finding + "; the steps: " + play.log.suffix(40).joined(separator: ", "))
        }
    }
}
