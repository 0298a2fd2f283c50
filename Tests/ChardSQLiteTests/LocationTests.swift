// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Testing

@Suite("SQLite URLs")
struct LocationTests {
    @Test(
        "a URL names a file",
        arguments: [
            ("sqlite:///tasks.db", "tasks.db"), ("sqlite:////var/lib/tasks.db", "/var/lib/tasks.db"),
            ("SQLite:///a b.db", "a b.db"), ("sqlite:///../x.db", "../x.db"),
        ])
    func path(_ url: String, _ path: String) throws {
        let location = try SQLiteLocation(url)
        #expect(location.path == path)
        #expect(location.synchronous == nil)
        #expect(location.description == "sqlite:///" + path)
    }

    @Test("a URL may say what writes wait for")
    func synchronous() throws {
        #expect(try SQLiteLocation("sqlite:///a.db?synchronous=normal").synchronous == .normal)
        #expect(try SQLiteLocation("sqlite:////a.db?synchronous=FULL").synchronous == .full)
        let broker = SQLiteBroker(try SQLiteLocation("sqlite:///a.db?synchronous=normal"))
        #expect(broker.location == "sqlite:///a.db")
    }

    @Test(
        "what makes no sense is refused",
        arguments: [
            "sqlite://tasks.db", "sqlite://", "sqlite:///", "sqlite:////", "sqlite:///folder/", "sqlite:///:memory:",
            "sqlite:///a.db?synchronous=off", "sqlite:///a.db?mode=ro", "redis:///a.db", "",
        ])
    func nonsense(_ url: String) {
        let error = #expect(throws: BrokerError.self) { try SQLiteLocation(url) }
        #expect(error?.code == .misconfigured)
        #expect(error?.isRetryable == false)
    }
}
