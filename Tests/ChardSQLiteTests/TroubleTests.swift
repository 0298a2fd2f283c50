// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import GRDB
import Synchronization
import Testing

@testable import ChardSQLite

@Suite("Trouble with a file that was good", .fewAtATime, .timeLimit(.minutes(3)))
struct TroubleTests {
    /// Another program keeps the file locked while `body` runs.
    private func whileLocked<Value>(_ bench: Bench, _ body: () async throws -> Value) async throws -> Value {
        let stranger = try bench.stranger()
        try await stranger.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            try db.execute(sql: "UPDATE counter SET value = value + 1000")
        }
        let value = try await body()
        try await stranger.writeWithoutTransaction { db in try db.execute(sql: "ROLLBACK") }
        return value
    }

    @Test("a file that another program keeps locked: a call fails in time, and the next one goes through")
    func locked() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.busyTimeout = .milliseconds(200) }
            try await broker.connect()
            try await whileLocked(bench) {
                let start = ContinuousClock.now
                let error = try #require(
                    await #expect(throws: BrokerError.self) { try await broker.send([Bench.message("a")]) })
                #expect(error.code == .unavailable)
                #expect(error.isRetryable)
                #expect(error.message.contains(bench.path) && error.message.contains("locked by another program"))
                #expect(ContinuousClock.now - start < .seconds(5))
                // Reading goes on.
                #expect(try await broker.status(of: "x") == nil)
            }
            try await broker.send([Bench.message("a")])
            #expect(try await broker.queues().map(\.waiting) == [1])
        }
    }

    @Test("waiting for a result outlasts a lock, however long another program keeps it")
    func waitingWhileLocked() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.busyTimeout = .milliseconds(50) }
            try await broker.connect()
            let result = Chard("test", broker: broker).result(of: "a")
            let waiting = try await whileLocked(bench) {
                let waiting = Task { try await result.value(timeout: .seconds(30)) }
                // For six times as long as one try waits.
                try await Task.sleep(for: .milliseconds(300))
                return waiting
            }
            let status = TaskStatus(id: "a", state: .success, result: Array("42".utf8))
            try await broker.store([StatusRecord(status, timeToLive: .seconds(60))])
            #expect(try await waiting.value == 42)
        }
    }

    @Test("who waits or reads goes over to a file that takes the place of the one it had open")
    func replacedWhileWaiting() async throws {
        try await Bench.with { bench in
            let (waiter, reader) = (bench.broker { $0.patrol = .milliseconds(50) }, bench.broker())
            let started = TaskStatus(id: "a", state: .started)
            try await waiter.store([StatusRecord(started, timeToLive: .seconds(60))])
            #expect(try await reader.status(of: "a")?.state == .started)
            let told = Mutex<[TaskState]>([])
            let cancel = waiter.watch("a") { status in
                if case .success(let status) = status { told.withLock { $0.append(status.state) } }
            }
            try await eventually("it watches") { told.withLock { $0 } == [.started] }
            for name in ["tasks.db", "tasks.db-wal", "tasks.db-shm", "tasks.db-bell"] {
                try? FileManager.default.removeItem(atPath: bench.path(name))
            }
            let other = bench.broker()
            let status = TaskStatus(id: "a", state: .success, result: Array("42".utf8))
            try await other.store([StatusRecord(status, timeToLive: .seconds(60))])
            try await eventually("it is told of what is in the other") { told.withLock { $0.last } == .success }
            cancel()
            #expect(try await reader.status(of: "a")?.state == .success)
        }
    }

    @Test("settling waits out a lock for as long as the lease holds")
    func lockedWhileSettling() async throws {
        try await Bench.with { bench in
            let broker = bench.broker {
                $0.busyTimeout = .milliseconds(50)
                $0.lease = .seconds(30)
            }
            let consumer = try await bench.consumer(of: broker)
            try await broker.send([Bench.message("a")])
            let delivery = try #require(try await consumer.claim(upTo: 1).first)
            let settling = try await whileLocked(bench) {
                let settling = Task { try await consumer.settle([Settlement(delivery)]) }
                // For six times as long as one try waits.
                try await Task.sleep(for: .milliseconds(300))
                return settling
            }
            #expect(try await settling.value == [.settled])
            await consumer.close()
        }
    }

    @Test("a full file refuses tasks, loses none, finishes those it has, and goes on when there is room")
    func full() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.maximumSize = 400_000 }
            let big = [UInt8](repeating: 0x20, count: 20_000)
            var sent: [String] = []
            let error = try #require(
                await #expect(throws: BrokerError.self) {
                    for number in 0..<1_000 {
                        try await broker.send([OutgoingMessage(id: "\(number)", queue: "q", payload: big)])
                        sent.append("\(number)")
                    }
                })
            #expect(error.code == .refused)
            #expect(error.isRetryable)
            #expect(error.message.contains(bench.path) && error.message.contains("full"))
            #expect(sent.count > 5)
            #expect(try await broker.queues().map(\.waiting) == [sent.count])
            // One that is too large does not keep a small one from being stored beside it.
            let large = Task {
                try await broker.send([OutgoingMessage(id: "large", queue: "q", payload: big + big + big)])
            }
            async let small: Void = broker.store([StatusRecord(TaskStatus(id: "s", state: .started), timeToLive: nil)])
            await #expect(throws: BrokerError.self) { try await large.value }
            try await small
            #expect(try await broker.status(of: "s")?.state == .started)
            let check = try bench.stranger()
            let verdict = try await check.read { db in try String.fetchAll(db, sql: "PRAGMA integrity_check") }
            #expect(verdict == ["ok"])
            let consumer = try await bench.consumer(of: broker)
            var done = 0
            while done < 3 {
                let deliveries = try await consumer.claim(upTo: 1)
                _ = try await consumer.settle(deliveries.map { Settlement($0) })
                done += deliveries.count
            }
            try await broker.send([OutgoingMessage(id: "again", queue: "q", payload: big)])
            #expect(try await broker.queues().map(\.waiting) == [sent.count - 2])
            await consumer.close()
        }
    }

    @Test("a result that the file has no room for is a failure that says so, and holds up no other task")
    func resultTooLarge() async throws {
        try await Bench.with { bench in
            let broker = bench.broker { $0.maximumSize = 1_000_000 }
            let app = Chard("app", broker: broker)
            let runs = Mutex(0)
            let large = app.task("large") { () in
                runs.withLock { $0 += 1 }
                return String(repeating: "x", count: 3_000_000)
            }
            let small = app.task("small") { (number: Int) in number }
            let worker = Worker(app, options: WorkerOptions(concurrency: 4))
            async let running: Void = worker.run()
            let refused = try await large.enqueue()
            for number in 0..<20 {
                #expect(try await small.enqueue(number).value(timeout: .seconds(20)) == number)
            }
            let error = await #expect(throws: TaskError.self) { try await refused.value(timeout: .seconds(30)) }
            #expect(error?.type == "ResultNotStored")
            #expect(error?.message.contains("full") == true, "\(error?.message ?? "")")
            #expect(runs.withLock { $0 } == 1)
            worker.stop(.gracefully)
            try await running
        }
    }

    @Test("a damaged page is told, and what SQLite says of it is read as damage")
    func damaged() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            try await broker.send((0..<200).map { Bench.message("\($0)") })
            await broker.shutdown()
            let file = try FileHandle(forUpdating: URL(filePath: bench.path))
            let size = try file.seekToEnd()
            for page in stride(from: UInt64(2 * 4096), to: size, by: 4096) {
                try file.seek(toOffset: page)
                try file.write(contentsOf: Data(repeating: 0xFF, count: 4096))
            }
            try file.close()
            let again = bench.broker()
            let error = await #expect(throws: BrokerError.self) { try await again.send([Bench.message("x")]) }
            #expect(error?.code == .damaged)
            #expect(error?.message.contains("damaged") == true)
            #expect(error?.isRetryable == false)
        }
    }

    @Test("a file that was deleted while in use is made anew, and who held something of the old one is told")
    func deleted() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            let consumer = try await bench.consumer(of: broker)
            try await broker.send([Bench.message("a")])
            _ = try await consumer.claim(upTo: 1)
            for suffix in ["", "-wal", "-shm", "-bell"] {
                try? FileManager.default.removeItem(atPath: bench.path + suffix)
            }
            try await broker.send([Bench.message("b")])
            await consumer.leaseLost()
            let error = await #expect(throws: BrokerError.self) { try await consumer.claim(upTo: 1) }
            #expect(error?.code == .leaseLost)
            let next = try await bench.consumer(of: broker)
            let deliveries = try await next.claim(upTo: 5)
            #expect(deliveries.map(\.id) == ["b"])
            await next.close()
        }
    }

    @Test("what a broker that was shut down is asked for fails")
    func shutDown() async throws {
        try await Bench.with { bench in
            let broker = bench.broker()
            try await broker.send([Bench.message("a")])
            let stream = broker.statuses(of: "a")
            let waiting = Task { for try await _ in stream {} }
            try await broker.connect()
            await broker.shutdown()
            for call in [
                { try await broker.send([Bench.message("b")]) }, { _ = try await broker.status(of: "a") },
                { try await waiting.value },
            ] as [@Sendable () async throws -> Void] {
                let error = await #expect(throws: BrokerError.self) { try await call() }
                #expect(error?.code == .closed)
            }
        }
    }

    @Test("a file that cannot be opened for want of room can be read: while others have it open, and where nobody has")
    func reading() async throws {
        try await Bench.with { bench in
            let location = SQLiteLocation(path: bench.path)
            func count() throws -> Int? {
                try DatabaseFile.readWithoutRoom(location) { db in
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM waiting")
                }
            }
            let broker = bench.broker()
            try await broker.send([Bench.message("a"), Bench.message("b")])
            #expect(try count() == 2)
            await broker.shutdown()
            #expect(try count() == 2)
            #expect(!FileManager.default.fileExists(atPath: location.log))
            #expect(throws: (any Error).self) {
                try DatabaseFile.readWithoutRoom(location) { db in try db.execute(sql: "DELETE FROM waiting") }
            }
        }
    }

    @Test(
        "room on the disk is judged", arguments: [(0, Finding.Severity.danger), (5 << 20, .warning), (1 << 30, .fine)])
    func room(bytes: Int, severity: Finding.Severity) {
        #expect(Finding.room(bytes).severity == severity)
        #expect(SystemFile.room(in: "/").map { $0 >= 0 } == true)
    }

    @Test("the doctor's findings")
    func findings() async throws {
        try await Bench.with { bench in
            let findings = try await bench.broker { $0.synchronous = .full }.diagnose()
            #expect(findings.allSatisfy { $0.severity == .fine })
            let subjects: Set = ["version", "file system", "durability", "integrity", "room", "size"]
            #expect(Set(findings.map(\.subject)) == subjects)
            let relaxed = try await bench.broker().diagnose()
            #expect(relaxed.first { $0.subject == "durability" }?.severity == .warning)
            #expect(Finding.integrity(["row 3 missing"]).severity == .danger)
            #expect(Finding.log(1 << 30, of: 4096).severity == .warning)
        }
    }
}
