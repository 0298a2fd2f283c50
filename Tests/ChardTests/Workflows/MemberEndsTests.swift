// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("The ends of a join's members")
struct MemberEndsTests {
    private func part(_ id: String, _ index: Int?, _ state: TaskState = .success) -> JoinPart {
        let end = MemberEnd(id: id, state: state, result: JSONText.string(id)).encoded()
        return JoinPart(
            group: "g", member: id, index: index, isSuccess: state == .success, end: end, timeToLive: .seconds(600))
    }

    /// The results once a store has counted some, and another is the last.
    private func results(_ counted: [JoinPart], last: JoinPart) async throws -> String {
        let store = MemoryBroker()
        for part in counted { _ = try await store.join(part) }
        let known = KnownJoins.Ends(
            ends: try await store.ends(of: "g"), before: try await store.countEnds(of: "g", upTo: last.index))
        return String(decoding: MemberEnds(known, with: last).results, as: UTF8.self)
    }

    @Test("the last one stands at its place, however many others share one")
    func places() async throws {
        let counted = [part("a", 0), part("added", 0), part("b", 1), part("d", 3)]
        #expect(try await results(counted, last: part("c", 2)) == #"["a","added","b","c","d"]"#)
        #expect(try await results(counted, last: part("new", 0)) == #"["a","added","new","b","d"]"#)
        #expect(try await results(counted, last: part("none", nil)) == #"["a","added","b","d","none"]"#)
        #expect(try await results([], last: part("only", 7)) == #"["only"]"#)
    }

    @Test("a success stands in the place of the failure that it mends")
    func mended() async throws {
        let counted = [part("a", 0), part("b", 1, .failure), part("c", 2)]
        #expect(try await results(counted, last: part("b", 1)) == #"["a","b","c"]"#)
    }
}
