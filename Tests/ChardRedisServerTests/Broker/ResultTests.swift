// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Waiting for a result on a Redis server", .timeLimit(.minutes(1)))
struct ResultTests {
    /// One who waits for the result of task `id`; the server listens for it already.
    private func waiter(of bench: BrokerBench, _ app: Chard) async throws -> Task<Int, any Error> {
        let task = app.task("t") { 1 }
        let waiter = Task { try await task.result(of: "id").value(timeout: .seconds(30)) }
        try await listeners(1, on: bench)
        return waiter
    }

    private func listeners(_ count: Int, on bench: BrokerBench) async throws {
        try await eventually("\(count) listen") {
            try await bench.server.cli("PUBSUB", "NUMSUB", "celery-task-meta-id").hasSuffix("\(count)")
        }
    }

    private let success = #"{"status":"SUCCESS","result":7,"task_id":"id","traceback":null,"children":[]}"#

    @Test("What is stored while the connection is away is there once it is back")
    func outage() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let waiter = try await waiter(of: bench, app)
            // Told to nobody, as if it had been while nobody could hear it.
            try await bench.server.cli("SET", "celery-task-meta-id", success)
            try await bench.server.cli("CLIENT", "KILL", "TYPE", "pubsub")
            #expect(try await waiter.value == 7)
        }
    }

    @Test("What cannot be read ends the wait, and so does the end of the app")
    func damaged() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let first = try await waiter(of: bench, app)
            try await bench.server.cli("PUBLISH", "celery-task-meta-id", "{")
            let damage = await #expect(throws: BrokerError.self) { try await first.value }
            #expect(damage?.code == .damaged)
            try await listeners(0, on: bench)

            let second = try await waiter(of: bench, app)
            try await app.broker.shutdown()
            let end = await #expect(throws: BrokerError.self) { try await second.value }
            #expect(end?.code == .closed)
            #expect(end?.description.contains("closed by this program") == true)
        }
    }

    @Test("A server that refuses us, or the channel, when it is asked again, ends the wait", arguments: [true, false])
    func refused(us: Bool) async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let waiter = try await waiter(of: bench, app)
            if us {
                try await bench.server.cli("CONFIG", "SET", "requirepass", "new")
                try await bench.server.cli("-a", "new", "CLIENT", "KILL", "TYPE", "pubsub")
            } else {
                try await bench.server.cli("ACL", "SETUSER", "default", "resetchannels")
                try await bench.server.cli("CLIENT", "KILL", "TYPE", "pubsub")
            }
            let error = await #expect(throws: BrokerError.self) { try await waiter.value }
            #expect(error?.code == .unauthorized)
        }
    }

    @Test("A worker that was refused its channels listens again once it may")
    func refusedWorker() async throws {
        try await BrokerBench.with { bench in
            @Sendable func listeners() async throws -> Int {
                let told = try await bench.server.cli("PUBSUB", "NUMSUB", "chard:orders", "chard:due")
                return told.split(separator: "\n").count { $0 == "1" }
            }
            try await bench.working(try bench.app()) { _ async throws in
                try await eventually("the worker listens") { try await listeners() == 2 }
                try await bench.server.cli("ACL", "SETUSER", "default", "resetchannels")
                try await bench.server.cli("CLIENT", "KILL", "TYPE", "pubsub")
                try await eventually("it was refused") {
                    try await bench.server.cli("ACL", "LOG").contains("chard:orders")
                }
                try await bench.server.cli("ACL", "SETUSER", "default", "allchannels")
                try await eventually("it listens again") { try await listeners() == 2 }
            }
        }
    }

    @Test("Who watches schedules, and was refused the channel, hears of changes again once it may")
    func refusedBeat() async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let told = Mutex(0)
            let watch = try await broker.watchSchedules { told.withLock { $0 += 1 } }
            let channel = broker.keys.scheduleChanges
            @Sendable func listeners() async throws -> String {
                String(try await bench.server.cli("PUBSUB", "NUMSUB", channel).split(separator: "\n").last ?? "")
            }
            try await eventually("it listens") { try await listeners() == "1" }
            try await bench.server.cli("ACL", "SETUSER", "default", "resetchannels")
            try await bench.server.cli("CLIENT", "KILL", "TYPE", "pubsub")
            try await eventually("it was refused") { try await bench.server.cli("ACL", "LOG").contains(channel) }
            try await bench.server.cli("ACL", "SETUSER", "default", "allchannels")
            try await eventually("it listens again") { try await listeners() == "1" }
            let before = told.withLock { $0 }
            let app = try bench.app()
            try await app.operator.schedules.put(Schedule("s", .every(.seconds(60)), call: PeriodicCall("x")))
            try await eventually("it hears of a change") { told.withLock { $0 } > before }
            withExtendedLifetime(watch) {}
            await broker.shutdown()
        }
    }

    @Test("Whoever gives up listens no more")
    func givingUp() async throws {
        try await BrokerBench.with { bench in
            let app = try bench.app()
            let waiter = try await waiter(of: bench, app)
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            try await listeners(0, on: bench)
            let late = app.task("late") { 1 }.result(of: "id")
            await #expect(throws: ResultTimeout.self) { try await late.value(timeout: .milliseconds(50)) }
            try await listeners(0, on: bench)
        }
    }
}
