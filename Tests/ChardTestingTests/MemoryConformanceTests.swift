// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardTesting
import Testing

@Suite("The broker contract in memory", .timeLimit(.minutes(2)))
struct MemoryConformanceTests {
    @Test("a clause", arguments: BrokerClause.all)
    func clause(_ clause: BrokerClause) async throws {
        let verdict = try await clause.verify(on: MemoryFixture())
        #expect(verdict == .kept)
    }

    @Test("a random interleaving", arguments: UInt64(0)..<100)
    func interleaving(_ seed: UInt64) async throws {
        try await BrokerInterleaving(seed: seed, steps: 120).verify(on: MemoryFixture())
    }

    @Test("random workflows", arguments: UInt64(0)..<20)
    func workflows(_ seed: UInt64) async throws {
        try await BrokerWorkflows(seed: seed, depth: 4).verify(on: MemoryFixture())
    }

    @Test("no two clauses share a name")
    func names() {
        #expect(Set(BrokerClause.all.map(\.name)).count == BrokerClause.all.count)
    }
}
