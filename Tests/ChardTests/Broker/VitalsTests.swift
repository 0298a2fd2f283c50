// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@Suite("A worker's figures")
struct VitalsTests {
    @Test("their text is what its type reads, whatever is in them")
    func text() throws {
        var vitals = Vitals(
            running: [
                .init(id: "a", task: "say \"hello\", \\ wörld\n", since: 1_800_000_000.25),
                .init(id: "", task: "t", since: 0),
            ], done: 7, failed: .max, concurrency: 4)
        #expect(try JSON.decode(Vitals.self, from: vitals.text) == vitals)
        vitals.version = "1.0.0 \"quoted\""
        vitals.clockOffset = -3
        vitals.stalled = 12
        vitals.running = []
        #expect(try JSON.decode(Vitals.self, from: vitals.text) == vitals)
        #expect(try JSON.decode(Vitals.self, from: Vitals().text) == Vitals())
    }

    @Test("their text is short and has no member for what is not known")
    func short() {
        #expect(String(decoding: Vitals(done: 2).text, as: UTF8.self) == #"{"running":[],"done":2,"failed":0}"#)
    }
}
