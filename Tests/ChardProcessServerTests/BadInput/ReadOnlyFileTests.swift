// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Foundation
import TestServers
import Testing

@Suite("SQLite files that may not be written", .timeLimit(.minutes(2)))
struct ReadOnlyFileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// The rights of the file and of its folder.
        var file: Int
        var folder: Int
    }

    static let rows = [
        Row(testDescription: "a file that may only be read", file: 0o444, folder: 0o755),
        Row(testDescription: "a folder that may only be read", file: 0o644, folder: 0o555),
        Row(testDescription: "both", file: 0o444, folder: 0o555),
        Row(testDescription: "a file that may not even be read", file: 0o000, folder: 0o755),
    ]

    @Test("one line, exit 4, and nothing is touched", arguments: rows)
    func refused(_ row: Row) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/read-only-\(TaskID.random())"
        let path = folder + "/tasks.db"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            try? Self.allow(0o755, folder)
            try? FileManager.default.removeItem(atPath: folder)
        }
        let broker = SQLiteBroker(SQLiteLocation(path: path))
        try await broker.send([OutgoingMessage(id: "a", queue: "q", payload: RawMessage("t", id: "a").payload)])
        await broker.shutdown()
        let before = try Self.state(of: folder)
        #expect(before.names == ["tasks.db", "tasks.db-bell"])

        try Self.allow(row.file, path)
        try Self.allow(row.folder, folder)
        for command in [["send", "t"], ["queues"], ["beat", "--list"], ["dead", "list"]] {
            let run = try await CommandRun(Self.chard(command + ["--broker", "sqlite:///\(path)"]))
            #expect(run.status == 4 && run.isOneLine, "\(command): \(run)")
            #expect(run.talk.contains("\(path) cannot be written; give this user the right"), "\(command): \(run)")
        }
        try Self.allow(0o644, path)
        try Self.allow(0o755, folder)
        #expect(try Self.state(of: folder) == before)
        let whole = try await CommandRun(Self.chard(["queues", "--json", "--broker", "sqlite:///\(path)"]))
        #expect(try whole.json[0]?["waiting"] == 1, "\(whole)")
    }

    private static func allow(_ rights: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: rights], ofItemAtPath: path)
    }

    private struct State: Equatable {
        var names: [String]
        var bytes: Data
    }

    private static func state(of folder: String) throws -> State {
        State(
            names: try FileManager.default.contentsOfDirectory(atPath: folder).sorted(),
            bytes: try Data(contentsOf: URL(filePath: folder + "/tasks.db")))
    }

    /// The program as somebody whom rights hold for: root is kept from passing over them.
    private static func chard(_ words: [String]) throws -> Program {
        guard geteuid() == 0 else { return try Program("chard", words) }
        return try Program(
            "/usr/bin/setpriv",
            ["--bounding-set", "-dac_override,-dac_read_search", "--", Program.path(of: "chard")] + words)
    }
}
