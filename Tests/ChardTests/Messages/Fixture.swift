// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

/// What real Celery clients and workers were seen to send: see Tests/Fixtures/celery.
struct Fixture {
    let name: String
    let json: JSON

    init(_ name: String, in folder: String = "celery") throws {
        self.name = name
        let data = try Data(contentsOf: Self.url(of: folder).appending(path: "\(name).json"))
        json = try JSON(parsing: Array(data))
    }

    private static func url(of folder: String) -> URL {
        URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/\(folder)")
    }

    static let names = names(in: "celery")
    /// What was seen of remote control and events.
    static let controlNames = names(in: "celery-control").filter { $0.hasPrefix("control-") }

    private static func names(in folder: String) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: url(of: folder).path())) ?? []
        return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// What was published, with its decoded body.
    var publications: [(channel: String, payload: [UInt8], body: JSON?)] {
        commands.compactMap { words, json in
            guard words.first == "PUBLISH", words.count == 3, let channel = words[1].string, let text = words[2].string
            else { return nil }
            return (channel, Array(text.utf8), json["body_json"])
        }
    }

    /// Those with task messages that can be read.
    static let taskNames = names.filter { name in
        guard name != "task-v2-pickle", let fixture = try? Fixture(name) else { return false }
        return !fixture.tasks.isEmpty
    }

    /// Those with stored statuses.
    static let statusNames = names.filter { name in
        guard let fixture = try? Fixture(name) else { return false }
        return !fixture.statuses.isEmpty
    }

    private var commands: [(words: [JSON], json: JSON)] {
        (json["redis_commands"]?.array ?? []).compactMap { command in
            command["command"]?.array.map { ($0, command) }
        }
    }

    /// The task messages sent, with their decoded bodies.
    var tasks: [(payload: [UInt8], body: JSON?)] {
        commands.compactMap { words, json in
            guard words.first == "LPUSH", words.count == 3, let text = words[2].string else { return nil }
            return (Array(text.utf8), json["body_json"])
        }
    }

    /// The statuses stored under `celery-task-meta-...`.
    var statuses: [[UInt8]] {
        commands.compactMap { words, _ in
            guard words.first == "SETEX", words.count == 4,
                words[1].string?.contains("task-meta") == true,
                let text = words[3].string
            else { return nil }
            return Array(text.utf8)
        }
    }

    /// The first task message of a fixture.
    static func message(_ name: String) throws -> [UInt8] {
        try #require(try Fixture(name).tasks.first).payload
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
