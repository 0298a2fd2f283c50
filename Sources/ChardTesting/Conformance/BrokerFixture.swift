// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// What the broker contract is tried on: one store, empty at first, and the means to do to it what happens to brokers.
///
/// Every clause and every interleaving wants a fixture of its own. Choose a short lease, so that a lost process is found
/// out within seconds.
public protocol BrokerFixture: Sendable {
    /// Opens the store as one more process would: a broker with connections, caches and a memory of its own. A broker that
    /// lives within its process gives itself. The clauses shut down what they opened.
    func open() async throws -> any Broker

    /// Makes a consumer fall silent as a killed process does: it renews no lease, and hands nothing back.
    func silence(_ consumer: any Consumer) async throws

    /// Lets time pass for the store: moves a clock by hand, or waits.
    func pass(_ duration: Duration) async throws

    /// The present time by the store's clock.
    var now: Date { get }

    /// After this time at the latest, what a silent consumer held is back, provided that another consumer is open.
    var recovery: Duration { get }

    /// A time that is short to wait and long enough to send a few messages in. Due times in the clauses are some of these
    /// apart.
    var moment: Duration { get }
}
