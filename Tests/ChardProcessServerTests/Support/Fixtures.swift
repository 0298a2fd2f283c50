// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation

/// What real Celery clients and workers were seen to send: see Tests/Fixtures/celery.
enum Fixtures {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Fixtures/celery").standardizedFileURL

    static func named(_ name: String) throws -> JSON {
        try JSON(parsing: Array(Data(contentsOf: folder.appendingPathComponent("\(name).json"))))
    }

    /// Every task message of every fixture, but for those that would run on and on.
    static func messages() throws -> [[UInt8]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .filter { $0.hasSuffix(".json") && !["result-retry.json", "result-terminated.json"].contains($0) }
        return try names.flatMap { name -> [[UInt8]] in
            let commands = try named(String(name.dropLast(5)))["redis_commands"]?.array ?? []
            return commands.compactMap { command in
                guard let words = command["command"]?.array, words.count == 3, words[0] == "LPUSH" else { return nil }
                return words[2].string.map { Array($0.utf8) }
            }
        }
    }
}
