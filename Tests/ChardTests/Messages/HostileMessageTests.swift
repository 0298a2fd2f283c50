// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Testing

@testable import Chard

/// What lies on a queue may be anything. It may fail, it may not crash.
@Suite("Hostile messages")
struct HostileMessageTests {
    /// Reads all there is to read.
    private func read(_ payload: [UInt8]) throws -> TaskMessage {
        let message = try TaskMessage(decoding: payload)
        _ = try? message.decodeBody().arguments()
        _ = message.retried(eta: nil).encoded()
        return message
    }

    @Test("cut off at any byte")
    func truncated() throws {
        let payload = try Fixture.message("task-v2-options")
        let id = "11111111-2222-3333-4444-555555555555"
        var identified = 0
        for count in 0..<payload.count {
            let error = #expect(throws: MessageError.self) { try read(Array(payload[..<count])) }
            #expect(error?.code == .malformed)
            if let found = error?.partialID {
                #expect(found == id)
                identified += 1
            }
        }
        #expect(identified > payload.count / 2)
    }

    @Test("of random bytes")
    func random() {
        var generator = SeededGenerator(state: 2)
        let alphabet = Array(#"{}[]",:\u0123456789eE+-.truefalsn NaInity"#.utf8)
        for round in 0..<4000 {
            let count = Int.random(in: 0..<200, using: &generator)
            let bytes = (0..<count).map { _ in
                round % 2 == 0
                    ? UInt8.random(in: 0...255, using: &generator)
                    : alphabet.randomElement(using: &generator) ?? 0
            }
            #expect(throws: MessageError.self) { try read(bytes) }
            if let json = try? JSON(parsing: bytes) {
                #expect((try? JSON(parsing: json.encoded()))?.description == json.description)
            }
        }
    }

    @Test(
        "with some bytes changed",
        arguments: ["task-v2-options", "task-v2-link", "task-v1", "task-v2-gzip"])
    func mutated(_ name: String) throws {
        var generator = SeededGenerator(state: 3)
        let original = try Fixture.message(name)
        var read = 0
        for _ in 0..<2000 {
            var payload = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<payload.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: payload[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: payload.remove(at: index)
                case 2: payload.insert(UInt8(ascii: "\""), at: index)
                default: payload[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                }
            }
            do {
                _ = try self.read(payload)
                read += 1
            } catch {
                #expect(error is MessageError)
            }
        }
        #expect(read > 0)
    }

    @Test("with changed bodies")
    func mutatedBodies() throws {
        var generator = SeededGenerator(state: 4)
        let body =
            #"[[1, "a\u20ac", {"b": [2.5e3, null]}], {"k": true}, {"callbacks": null, "chain": [{"task": "x"}]}]"#
        let original = Array(body.utf8)
        for _ in 0..<4000 {
            var text = original
            let index = Int.random(in: 0..<text.count, using: &generator)
            text[index] =
                Bool.random(using: &generator)
                ? UInt8.random(in: 0...255, using: &generator) : text[index] ^ 8
            _ = try? MessageBody(decoding: text, limits: .default).arguments()
        }
    }

    @Test(
        "and a thousand levels deep can be judged on a thread with little stack, as recoverers have",
        .timeLimit(.minutes(1)))
    func deepRecovery() async {
        let deep = String(repeating: "[", count: 1020) + String(repeating: "]", count: 1020)
        let text =
            #"{"headers":{"id":"i","task":"t","x":"# + deep
            + #"},"content-type":"application/json","body":"[[],{},{}]"}"#
        let held = OutgoingMessage(id: "", queue: "q", payload: Array(text.utf8))
        let recovery = await withCheckedContinuation { continuation in
            DispatchQueue(label: "little stack").async {
                continuation.resume(
                    returning: Recovery(of: held, from: "n", maximumLosses: 3, noted: [], seal: .random(), now: Date()))
            }
        }
        guard recovery.form != nil else {
            Issue.record("it is not sent again")
            return
        }
    }

    @Test("nested a thousand levels deep are refused by name")
    func deep() throws {
        let deep = String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)
        let text = #"{"x":"# + deep + #","headers":{"id":"i","task":"t"},"body":"[[],{},{}]"}"#
        let error = #expect(throws: MessageError.self) { try TaskMessage(decoding: Array(text.utf8)) }
        #expect(error?.code == .tooDeep)
        #expect(error?.partialID == "i")
        #expect(error?.partialTask == "t")
    }

    @Test("longer than the limit are refused by name")
    func long() throws {
        let payload = try Fixture.message("task-v2-basic")
        let error = #expect(throws: MessageError.self) {
            try TaskMessage(decoding: payload, limits: MessageLimits(messageBytes: payload.count - 1))
        }
        #expect(error?.code == .tooLarge)
        #expect(error?.partialTask == "interop.add")
    }

    @Test("with a body of 5 MB take time in proportion")
    func large() throws {
        let text = String(repeating: "x", count: 5_000_000)
        let message = TaskMessage(task: "t", body: MessageBody(Arguments([.string(text)])), queue: "q")
        let read = try TaskMessage(decoding: message.encoded())
        #expect(try read.decodeBody().positional.first?.count == 5_000_002)
    }

    @Test(
        "in encodings we do not read",
        arguments: [
            (
                #""content-type":"application/json","content-encoding":"utf-16""#,
                MessageError.Code.unsupportedEncoding
            ),
            (
                #""content-type":"application/json","properties":{"body_encoding":"hex"}"#,
                .unsupportedEncoding
            ),
            (#""content-type":"application/x-yaml""#, .unsupportedContentType),
            (#""content-type":null"#, .unsupportedContentType),
            (#""content-type":"application/json","body":[]"#, .badBody),
        ])
    func encodings(_ members: String, _ code: MessageError.Code) throws {
        let text = #"{"headers":{"task":"t","id":"i"},"body":"[[],{},{}]","# + members + "}"
        let error = #expect(throws: MessageError.self) { try TaskMessage(decoding: Array(text.utf8)) }
        #expect(error?.code == code)
        #expect(error?.partialID == "i")
        #expect(error?.partialTask == "t")
    }
}
