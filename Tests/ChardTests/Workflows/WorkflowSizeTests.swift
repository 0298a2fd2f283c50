// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("How large a workflow may be", .timeLimit(.minutes(2)))
struct WorkflowSizeTests {
    @Test(
        "one whose parts, or all of them together, are too large is refused at the call, and nothing of it is written")
    func bytes() async throws {
        let broker = MemoryBroker()
        let limits = MessageLimits(bodyBytes: 2_000_000)
        let app = Chard("small", broker: broker, settings: Settings(limits: limits))
        let text = app.task("text") { (x: String) in x }
        let count = app.task("count") { (x: [String], word: String) in "\(x.count) \(word)" }
        let small = try (0..<3_000).map { try text.signature("\($0)") }
        let large = try text.signature(String(repeating: "x", count: 2_100_000))
        for members in [small + [large], [large], [small[0], large]] {
            for error in [
                await thrown(AppError.self) { try await group(members).enqueue() },
                await thrown(AppError.self) { try await group(members).then(count, with: "x").enqueue() },
            ] {
                #expect(error?.description.contains("a worker takes no more than 2000000") == true, "\(error as Any)")
            }
        }
        // Each of them carries the body.
        let word = String(repeating: "x", count: 500_000)
        let error = await thrown(AppError.self) { try await group(small).then(count, with: word).enqueue() }
        #expect(error?.description.contains("no more than 1073741824 are") == true, "\(error as Any)")
        try await broker.expectEmpty()
        #expect(try await broker.listRecords(limit: 10).isEmpty)
    }

    @Test("thousands of members, which are sent in parts: each runs once, in its place", arguments: [true, false])
    func crowd(isChord: Bool) async throws {
        let (app, broker) = makeApp()
        let double = app.task("double") { (x: Int) in 2 * x }
        let same = app.task("same") { (x: [Int]) in x }
        let members = try (0..<2_500).map { try double.signature($0) }
        try await withWorker(app, concurrency: 8) { _ in
            let expected = (0..<2_500).map { 2 * $0 }
            if isChord {
                let result = try await group(members).then(same).enqueue()
                #expect(try await result.value(timeout: .seconds(60)) == expected)
            } else {
                let result = try await group(members).enqueue()
                #expect(try await result.values(timeout: .seconds(60)) == expected)
                let found = try #require(try await app.groupResult(of: result.id, returning: Int.self))
                #expect(found.members.map(\.id) == result.members.map(\.id))
            }
        }
        try await broker.expectEmpty()
    }
}
