// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardDashboard

@Suite("The page of a workflow")
struct WorkflowPageTests {
    @Test("a chord is drawn as its members below one another, and lines to what comes after them")
    func chord() async throws {
        let looker = try Looker()
        let square = looker.app.task("square") { (number: Int) in number * number }
        let sum = looker.app.task("shop.<sum>") { (numbers: [Int]) in numbers.reduce(0, +) }
        let sent = try await group((1...3).map { try square.signature($0) }).then(sum).enqueue()
        let id = try #require(try await looker.app.workflows(limit: 1).first?.id)
        let graph = try #require(try await looker.document(.workflow, ["id": id])["graph"])
        let boxes = graph["boxes"]?.array ?? []
        #expect(boxes.map { $0["text"]?.string } == ["square", "square", "square", "shop.<sum>"])
        #expect(boxes.allSatisfy { $0["state"] == "waiting" })
        #expect(Set(boxes.prefix(3).compactMap { $0["x"]?.number }).count == 1, "members stand below one another")
        #expect(boxes[3]["x"]?.number ?? 0 > boxes[0]["x"]?.number ?? 0, "what follows stands to the right of them")
        #expect(boxes[3]["y"] == boxes[1]["y"], "in the middle of them")
        #expect(graph["lines"] == [[0, 3], [1, 3], [2, 3]])
        let html = try await looker.html(.workflow, ["id": id])
        #expect(html.contains("<svg class=\"graph\"") && html.contains("shop.&lt;sum&gt;"))
        #expect(html.contains("href=\"../tasks/\(sent.id)\""))

        try await looker.work { try await sent.status().state == .success }
        let after = try await looker.document(.workflow, ["id": id])["graph"]?["boxes"]?.array ?? []
        #expect(after.allSatisfy { $0["state"] == "succeeded" })
    }

    @Test("a flow is drawn in layers, each step to the right of what it waits for, with a line from each of these")
    func flow() async throws {
        let looker = try Looker()
        let one = looker.app.task("one") { (number: Int) in number }
        let two = looker.app.task("two") { (left: Int, right: Int) in left + right }
        var flow = Flow(looker.app)
        let start = try flow.step("start", one.signature(1))
        let other = try flow.step("other", one.signature(2))
        let left = try flow.step("left", one, taking: start)
        try flow.signal("go", after: ["left"])
        let both = try flow.step("both", two, taking: left, other, after: ["go"])
        let sent = try await flow.enqueue(returning: both)
        let id = try #require(sent.workflowID)
        let graph = try #require(try await looker.document(.workflow, ["id": id])["graph"])
        let boxes = graph["boxes"]?.array ?? []
        #expect(
            boxes.map { $0["text"]?.string } == [
                "start: one", "other: one", "left: one", "go: signal", "both: two",
            ])
        let columns = boxes.map { $0["x"]?.number ?? -1 }
        #expect(columns[0] == columns[1] && columns == columns.sorted() && Set(columns).count == 4, "\(columns)")
        #expect(boxes[0]["y"]?.number ?? 0 < boxes[1]["y"]?.number ?? 0)
        let rows = boxes.map { $0["y"]?.number ?? -1 }
        #expect(rows[2] == rows[4] && rows[2] == (rows[0] + rows[1]) / 2, "one in a layer stands in its middle")
        let lines = (graph["lines"]?.array ?? []).map { ($0.array ?? []).compactMap(\.integer) }
        #expect(Set(lines) == [[0, 2], [2, 3], [2, 4], [1, 4], [3, 4]] && lines.count == 5, "\(lines)")
        let inside = boxes.allSatisfy {
            ($0["x"]?.number ?? 0) + ($0["width"]?.number ?? 0) <= graph["width"]?.number ?? 0
                && ($0["y"]?.number ?? 0) + ($0["height"]?.number ?? 0) <= graph["height"]?.number ?? 0
        }
        #expect(inside, "\(graph)")
        #expect(try await looker.html(.workflow, ["id": id]).contains("both: two"))
    }

    @Test("of a large group some stand for the others, and those of one group go on to the next through one point")
    func large() async throws {
        let looker = try Looker()
        let count = looker.app.task("count") { (number: Int) in number }
        let rest = looker.app.task("rest") { (_: [Int]) in 0 }
        let again = looker.app.task("again") { (number: Int) in number }
        let both = try group((0..<1_000).map { try count.signature($0) }).then(rest)
        _ = try await both.then(eachOf: [again, again]).enqueue()
        let id = try #require(try await looker.app.workflows(limit: 1).first?.id)
        let graph = try #require(try await looker.document(.workflow, ["id": id])["graph"])
        let texts = (graph["boxes"]?.array ?? []).compactMap { $0["text"]?.string }
        #expect(texts == Array(repeating: "count", count: 6) + ["and 994 more", "rest", "again", "again"])
        #expect(graph["lines"]?.array?.count == 9)
    }
}
