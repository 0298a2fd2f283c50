// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import Testing

@testable import ChardCommand
@testable import ChardRedis

@Suite("Every error has its exit status")
struct CommandStatusTests {
    private static let rows: [(any Error, Int32)] = [
        (CommandError("not there"), 1),
        (CommandError("wrong", status: .misused), 2),
        (TaskError("ValueError", "boom"), 1),
        (BrokerError(.misconfigured, "no such scheme"), 2),
        (BrokerError(.unavailable, "nobody listens"), 4),
        (BrokerError(.refused, "loading"), 4),
        (BrokerError(.unauthorized, "wrong password"), 4),
        (BrokerError(.damaged, "a status that is none"), 1),
        (BrokerError(RedisError(code: .protocolError, message: "no Redis")), 4),
        (BrokerError(RedisError(code: .wrongType, message: "WRONGTYPE")), 1),
        (BrokerError(.closed, "closed"), 4),
        (ValidationError("no"), 2),
        (ExitCode(7), 7),
        (CleanExit.message("help"), 0),
        (CancellationError(), 1),
        (SomeError(), 1),
    ]

    private struct SomeError: Error {}

    @Test("An error stands for the status that scripts rely on", arguments: rows.indices)
    func mapping(row: Int) {
        let (error, status) = Self.rows[row]
        #expect(CommandStatus(error).rawValue == status, "\(error)")
    }

    @Test("An app that is set up wrongly is misused")
    func wrongApp() throws {
        let app = Chard("shop")
        app.task("twice") { 1 }
        app.task("twice") { 2 }
        let error = try #require(throws: AppError.self) { try app.validate() }
        #expect(CommandStatus(error) == .misused)
    }

    @Test("A result that does not come in time has a status of its own")
    func timeout() async throws {
        let app = Chard("shop", broker: MemoryBroker())
        let error = try await #require(throws: ResultTimeout.self) {
            try await app.result(of: "never sent").value(timeout: .milliseconds(1))
        }
        #expect(CommandStatus(error) == .timedOut)
    }
}
