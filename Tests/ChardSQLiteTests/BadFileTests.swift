// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Foundation
import GRDB
import Testing

@Suite("Files that are of no use", .fewAtATime, .timeLimit(.minutes(3)))
struct BadFileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var code: BrokerError.Code
        var says: String
        var make: @Sendable (Bench) throws -> String

        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(name: "a folder", code: .unauthorized, says: "is a folder") { $0.folder.path },
        Row(name: "no folder", code: .unauthorized, says: "there is no folder") { $0.path("none/tasks.db") },
        Row(name: "a file as folder", code: .unauthorized, says: "there is no folder") { bench in
            try Data("x".utf8).write(to: URL(filePath: bench.path("file")))
            return bench.path("file/tasks.db")
        },
        Row(name: "a text", code: .damaged, says: "is no SQLite database") { bench in
            try Data("This is no database, but long enough to be one.".utf8).write(to: URL(filePath: bench.path))
            return bench.path
        },
        Row(name: "a short text", code: .damaged, says: "is no SQLite database") { bench in
            try Data("hi".utf8).write(to: URL(filePath: bench.path))
            return bench.path
        },
        Row(name: "nothing but the heading", code: .damaged, says: "is no SQLite database") { bench in
            try Data(Array("SQLite format 3\0".utf8) + [UInt8](repeating: 0xA5, count: 8_000))
                .write(to: URL(filePath: bench.path))
            return bench.path
        },
        Row(name: "a newer schema", code: .incompatible, says: "newer version of Chard") { bench in
            try make(bench, "PRAGMA application_id = 0x63687264; CREATE TABLE t (a); PRAGMA user_version = 99")
        },
        Row(name: "another program's", code: .incompatible, says: "another program") { bench in
            try make(bench, "CREATE TABLE customer (name TEXT); INSERT INTO customer VALUES ('Ada')")
        },
        Row(name: "a device", code: .unauthorized, says: "no regular file") { _ in "/dev/null" },
    ]

    private static func make(_ bench: Bench, _ sql: String) throws -> String {
        let queue = try DatabaseQueue(path: bench.path)
        try queue.write { db in try db.execute(sql: sql) }
        try queue.close()
        return bench.path
    }

    @Test("one clear line that names the path, at once, and the file as it was", arguments: rows)
    func bad(_ row: Row) async throws {
        try await Bench.with { bench in
            let path = try row.make(bench)
            let before = try? Data(contentsOf: URL(filePath: path))
            let hadBell = FileManager.default.fileExists(atPath: path + "-bell")
            let broker = SQLiteBroker(SQLiteLocation(path: path), settings: Bench.quick)
            let start = ContinuousClock.now
            let error = try #require(await #expect(throws: BrokerError.self) { try await broker.connect() })
            #expect(error.code == row.code)
            #expect(!error.isRetryable)
            #expect(error.message.contains(row.says))
            #expect(error.message.contains(path))
            #expect(!error.message.contains("\n"))
            #expect(ContinuousClock.now - start < .seconds(5))
            for call in [
                { try await broker.send([Bench.message("a")]) }, { _ = try await broker.status(of: "a") },
                { _ = try await broker.consumer(for: Bench.subscription()) }, { _ = try await broker.queues() },
                { for try await _ in broker.statuses(of: "a") {} },
            ] as [@Sendable () async throws -> Void] {
                let again = await #expect(throws: BrokerError.self) { try await call() }
                #expect(again?.code == row.code)
            }
            await broker.shutdown()
            #expect((try? Data(contentsOf: URL(filePath: path))) == before)
            #expect(FileManager.default.fileExists(atPath: path + "-bell") == hadBell)
        }
    }

    @Test("an empty file is as good as none")
    func empty() async throws {
        try await Bench.with { bench in
            try Data().write(to: URL(filePath: bench.path))
            let broker = bench.broker()
            try await broker.send([Bench.message("a")])
            #expect(try await broker.queues().map(\.waiting) == [1])
        }
    }

    @Test("many may make the same file at the same moment")
    func together() async throws {
        try await Bench.with { bench in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask { try await bench.broker().send([Bench.message("\(number)")]) }
                }
                try await group.waitForAll()
            }
            #expect(try await bench.broker().queues().map(\.waiting) == [8])
        }
    }
}
