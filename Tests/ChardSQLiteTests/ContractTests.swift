// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardTesting
import Testing

@Suite("The broker contract on a file", .fewAtATime, .timeLimit(.minutes(5)))
struct ContractTests {
    @Test("a clause", arguments: BrokerClause.all)
    func clause(_ clause: BrokerClause) async throws {
        let verdict = try await Bench.with { bench in try await clause.verify(on: FileFixture(bench: bench)) }
        #expect(verdict == .kept)
    }

    @Test("random workflows", arguments: UInt64(0)..<8)
    func workflows(_ seed: UInt64) async throws {
        try await Bench.with { bench in try await BrokerWorkflows(seed: seed).verify(on: FileFixture(bench: bench)) }
    }

    @Test("a random interleaving", arguments: UInt64(0)..<20)
    func interleaving(_ seed: UInt64) async throws {
        try await Bench.with { bench in
            try await BrokerInterleaving(seed: seed, steps: 60).verify(on: FileFixture(bench: bench))
        }
    }
}
