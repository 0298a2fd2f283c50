// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCommand
import Testing

@Suite("The URL decides which broker it is")
struct OpenBrokerTests {
    @Test(
        "Known schemes open their broker, and show no password",
        arguments: [
            ("redis://localhost:6379/2", "redis://localhost:6379/2"),
            ("rediss://me:secret@example.com", "rediss://***@example.com:6379/0"),
            ("redis+unix:///run/redis.sock?db=1", "redis+unix:///run/redis.sock?db=1"),
            ("sqlite:///tasks.db", "sqlite:///tasks.db"), ("sqlite:////tmp/tasks.db", "sqlite:////tmp/tasks.db"),
            ("memory://", "memory://"),
        ])
    func known(url: String, location: String) throws {
        #expect(try openBroker(url).location == location)
    }

    @Test(
        "Any other URL is refused with what would be right, and without what may be a password",
        arguments: [
            ("amqp://me:secret@host//", "no broker for amqp://"), ("sqlite://secret.db", "three slashes"),
            ("localhost:6379", "does not start with a scheme"), ("secret@host", "does not start with a scheme"),
            ("", "does not start with a scheme"), ("me:secret redis://host", "does not start with a scheme"),
            ("memory://secret", "nothing may stand behind memory://"), ("redis://:secret@host:port/0", "the port"),
            ("redis://:secret#@host", "%23"),
        ])
    func refused(url: String, message: String) throws {
        let error = try #require(throws: BrokerError.self) { try openBroker(url) }
        #expect(error.code == .misconfigured)
        #expect(error.message.contains(message), "\(error)")
        #expect(!error.message.contains("secret"))
    }
}
