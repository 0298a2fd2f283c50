// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// One clause of the contract that a `Broker` keeps, as something that can be tried.
///
/// ```swift
/// @Test("the broker contract", arguments: BrokerClause.all)
/// func contract(_ clause: BrokerClause) async throws {
///     try await clause.verify(on: MyFixture())
/// }
/// ```
/// A clause waits for what must come, with a deadline, and never for luck. Run it under a time limit all the same: a broker
/// that ignores cancellation can keep it waiting.
public struct BrokerClause: Sendable, CustomStringConvertible {
    /// What a trial came to, where nothing was broken.
    public enum Verdict: Sendable, Hashable {
        /// The broker keeps the clause.
        case kept
        /// The clause is about an optional power that the broker does not have.
        case beyondItsPowers
    }

    /// A short name, unique among all clauses.
    public let name: String
    /// What is promised.
    public let promise: String

    private let body: @Sendable (Trial) async throws -> Void

    init(_ name: String, _ promise: String, _ body: @escaping @Sendable (Trial) async throws -> Void) {
        self.name = name
        self.promise = promise
        self.body = body
    }

    /// The name.
    public var description: String { name }

    /// Every clause: sending, claiming, settling, effects, joins, records, leases, delayed messages, schedules, statuses, orders,
    /// dead letters, inspection, history.
    public static let all: [BrokerClause] = [
        sending, claiming, settling, effects, joins, records, leases, losses, delaying, schedules, statuses, orders,
        deadLetters, inspection, history,
    ].flatMap { $0 }

    /// Tries the clause on a store that nothing else uses.
    /// - Throws: ``BrokerClauseFailure`` where the broker breaks the clause; whatever the broker or the fixture throws.
    @discardableResult
    public func verify(on fixture: any BrokerFixture) async throws -> Verdict {
        let trial = Trial(of: self, on: fixture)
        do {
            try await body(trial)
            await trial.end()
            return .kept
        } catch is PowerMissing {
            await trial.end()
            return .beyondItsPowers
        } catch {
            await trial.end()
            throw error
        }
    }
}

/// A broker broke a clause of its contract.
public struct BrokerClauseFailure: Error, Sendable, CustomStringConvertible {
    /// The clause's name.
    public let clause: String
    /// What the clause promises.
    public let promise: String
    /// What was looked at, what was expected of it, and what was found.
    public let finding: String

    /// Clause, promise and finding.
    public var description: String { "\(clause): \(finding)\n  promised: \(promise)" }
}

/// A clause asks for a power that the broker does not have.
struct PowerMissing: Error {}
