// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardTesting
import Foundation
import Testing

@testable import ChardSQLite

/// The contract's clauses on a file: each `open()` is one more process's view of it.
struct FileFixture: BrokerFixture {
    let bench: Bench
    let recovery = Duration.seconds(4)
    let moment = Duration.milliseconds(400)

    var now: Date { Date() }

    func open() async throws -> any Broker { bench.broker() }

    func silence(_ consumer: any Consumer) async throws {
        await (try #require(consumer as? SQLiteConsumer)).fallSilent(ended: false)
    }

    func pass(_ duration: Duration) async throws {
        try await Task.sleep(for: duration)
    }
}
