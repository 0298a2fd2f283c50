// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestServers
import Testing

@Suite("Files between processes", .timeLimit(.minutes(2)))
struct FileTests {
    private func play(_ url: String, _ folder: String) async throws {
        let files = ["PEER_FILES": folder + "/files"]
        let worker = try Program("WebPeer", ["worker", "--broker", url, "-c", "2"], environment: files)
        try await worker.says("ready")
        let cases: [(failures: Int, end: String, isKept: Bool)] = [
            (0, "2000000", false), (2, "2000000", false), (9, "Refused", true),
        ]
        for (failures, end, isKept) in cases {
            let sender = try Program(
                "WebPeer", ["measure", "2000000", "--failures", "\(failures)", "--broker", url], environment: files)
            #expect(try await sender.finished() == 0, "\(sender.talk)")
            let words = sender.output.split(whereSeparator: \.isWhitespace)
            let key = try #require(words.first, "\(sender.talk)")
            #expect(words.last.map(String.init) == end)
            let path = "\(folder)/files/\(key)"
            if isKept {
                // Its dead letter names it, until that is dropped.
                #expect(FileManager.default.fileExists(atPath: path))
                let list = try Program("WebPeer", ["dead", "list", "--json", "--broker", url], environment: files)
                try await list.finished()
                let letter = try #require(list.output.firstMatch(of: /"id":\s*"([^"]+)"/), "\(list.output)")
                let drop = try Program(
                    "WebPeer", ["dead", "drop", String(letter.1), "--broker", url], environment: files)
                #expect(try await drop.finished() == 0, "\(drop.talk)")
                #expect(!FileManager.default.fileExists(atPath: path))
            } else {
                try await eventually("the file of a task that is done is gone") {
                    !FileManager.default.fileExists(atPath: path)
                }
            }
        }
        worker.signal(SIGTERM)
        #expect(try await worker.finished() == 0, "\(worker.talk)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/files").isEmpty)
    }

    private func folder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/files-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    @Test(
        "a worker elsewhere opens the file that a sender keeps; it goes with the task, and stays for retry and dead letter"
    )
    func redis() async throws {
        let server = try await RedisServer.start(RedisServer.Configuration(lines: ["maxmemory 8mb"]))
        try await folder { try await play(server.url, $0) }
    }

    @Test("the same with a broker in a file")
    func file() async throws {
        try await folder { try await play("sqlite:///\($0)/tasks.db", $0) }
    }
}
