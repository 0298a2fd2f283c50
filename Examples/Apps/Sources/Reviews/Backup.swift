// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation

/// Copies of the table: in a dataset folder here, and pushed to where they are safe, with what has changed as their message.
struct Backup: Sendable {
    /// The folder.
    let dataset: String
    /// A folder or an HTTP server.
    let uploads: any FileStore

    /// What the newest backup is of.
    private struct State: Codable, Equatable {
        var count: Int
        var lastID: Int64
    }

    /// Makes a backup, unless nothing has changed. Returns what has.
    func make(of store: Store) async throws -> String {
        try FileManager.default.createDirectory(atPath: dataset, withIntermediateDirectories: true)
        let file = "\(dataset)/reviews.db"
        let draft = file + ".draft"
        // All of the backup is made of the copy, so that its parts fit together.
        let copy = try await store.copy(to: draft)
        let state = State(count: copy.count, lastID: copy.last?.id ?? 0)
        let before = try await uploaded()
        guard state != before else {
            try FileManager.default.removeItem(atPath: draft)
            return "nothing new"
        }
        let added = copy.count { $0.id ?? 0 > before?.lastID ?? 0 }
        let message = "\(added) new, \(copy.count) in all"
        let csv = Self.csv(of: copy)
        try Data(csv.utf8).write(to: URL(filePath: "\(dataset)/reviews.csv"), options: .atomic)
        _ = try? FileManager.default.removeItem(atPath: file)
        try FileManager.default.moveItem(atPath: draft, toPath: file)
        try await uploads.write(Array(csv.utf8), as: "reviews.csv")
        try await uploads.write(Array(Data(contentsOf: URL(filePath: file))), as: "reviews.db")
        try await uploads.write(Array(message.utf8), as: "message.txt")
        // Last, since it says that all the others are there.
        try await uploads.write(Array(JSONEncoder().encode(state)), as: "state.json")
        return message
    }

    /// The newest database, if there is one.
    @Sendable func newest() async throws -> [UInt8]? { try await read("reviews.db") }

    private func uploaded() async throws -> State? {
        try await read("state.json").map { try JSONDecoder().decode(State.self, from: Data($0)) }
    }

    private func read(_ key: String) async throws -> [UInt8]? {
        do {
            return try await uploads.read(key, atMost: 1 << 30)
        } catch let error as FileError where error.code == .missing {
            return nil
        }
    }

    static func csv(of reviews: [Review]) -> String {
        func field(_ text: String) -> String { "\"\(text.replacing("\"", with: "\"\""))\"" }
        let lines = reviews.map { review in
            [
                "\(review.id ?? 0)", field(review.name), "\(review.stars)", field(review.text),
                review.at.formatted(.iso8601),
            ].joined(separator: ",")
        }
        return (["id,name,stars,text,at"] + lines).map { $0 + "\r\n" }.joined()
    }
}
