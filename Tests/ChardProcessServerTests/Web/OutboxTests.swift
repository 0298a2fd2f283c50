// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCommand
import Foundation
import GRDB
import TestServers
import Testing

@Suite("Tasks in the transaction of an app", .timeLimit(.minutes(3)))
struct OutboxTests {
    /// Kills a writer at random moments, again and again. In the end each row has its task, once, and nothing else has.
    private func play(_ url: String, database: String, rounds: Int = 8) async throws {
        for round in 1...rounds {
            let writer = try Program("WebPeer", ["write", database, "--broker", url])
            let before = try await rows(database).count
            do {
                try await eventually("round \(round) has written") { try await rows(database).count > before + 20 }
            } catch {
                Issue.record("the writer says: \(writer.talk)")
                throw error
            }
            try await Task.sleep(for: .milliseconds(.random(in: 0...150)))
            writer.signal(SIGKILL)
            #expect(try await writer.finished() == -SIGKILL, "\(writer.talk)")
        }
        let relay = try Program("WebPeer", ["relay", database, "--broker", url])
        #expect(try await relay.finished() == 0, "\(relay.talk)")
        let entries = try await rows(database)
        #expect(!entries.contains { $0 % 3 == 0 }, "a transaction was not rolled back")
        let ids = try await messages(url)
        let counts = Dictionary(ids.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(ids.count > rounds * 20)
        #expect(Set(ids) == Set(entries.map { "entry-\($0)" }))
        #expect(counts.filter { $0.value > 1 }.isEmpty, "sent twice: \(counts.filter { $0.value > 1 })")
    }

    private func rows(_ database: String) async throws -> [Int] {
        guard FileManager.default.fileExists(atPath: database) else { return [] }
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        return try await DatabaseQueue(path: database, configuration: configuration).read { db in
            try db.tableExists("entry") ? Int.fetchAll(db, sql: "SELECT id FROM entry") : []
        }
    }

    /// The ids of all messages that wait.
    private func messages(_ url: String) async throws -> [String] {
        let broker = try openBroker(url)
        guard let peekable = broker as? any PeekableBroker else { return [] }
        var ids: [String] = []
        while true {
            let page = try await peekable.waitingMessages(
                in: "celery", from: ids.count, limit: 500, messageLimit: 10_000)
            ids += page.map { $0.task.id ?? "?" }
            if page.count < 500 { break }
        }
        await broker.shutdown()
        return ids
    }

    private func folder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/outbox-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    @Test("to Redis: none lost, none of a rolled back transaction, none twice, however often the writer is killed")
    func redis() async throws {
        let server = try await RedisServer.start()
        try await folder { try await play(server.url, database: $0 + "/app.db") }
    }

    @Test("the same to a broker in another file")
    func file() async throws {
        try await folder { try await play("sqlite:///\($0)/tasks.db", database: $0 + "/app.db") }
    }

    @Test("the same to a broker in the very file of the app")
    func sameFile() async throws {
        try await folder { try await play("sqlite:///\($0)/app.db", database: $0 + "/app.db") }
    }
}
