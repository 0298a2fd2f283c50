// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import TestServers

/// Makes messages that are nearly right: members gone, renamed or of another kind, in the envelope and in the body,
/// and bytes changed, lost or cut off.
struct Mutator {
    private var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(state: seed)
    }

    /// A changed form of a message, under an id of its own unless the change is to the id.
    mutating func mutated(_ payload: [UInt8]) -> [UInt8] {
        guard var envelope = try? JSON(parsing: payload) else { return scarred(payload) }
        rename(&envelope)
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            if Int.random(in: 0..<3, using: &random) == 0 {
                changeBody(&envelope) { $1.changed($0) }
            } else {
                envelope = changed(envelope)
            }
        }
        let whole = envelope.encoded()
        return Int.random(in: 0..<4, using: &random) == 0 ? scarred(whole) : whole
    }

    /// Bytes of no meaning: from all of them, or from those that JSON is made of.
    mutating func noise(upTo count: Int) -> [UInt8] {
        let alphabet = Array(#"{}[]",:\u0123456789eE+-.truefalsn NaInity"#.utf8)
        let isText = Bool.random(using: &random)
        return (0..<Int.random(in: 0...count, using: &random)).map { _ in
            isText ? alphabet.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
        }
    }

    private mutating func rename(_ envelope: inout JSON) {
        let id = JSON.string(TaskID.random(using: &random))
        if envelope["headers"]?["id"] != nil {
            envelope.change(["headers", "id"], to: id)
        } else {
            changeBody(&envelope) { body, _ in
                var body = body
                body["id"] = id
                return body
            }
        }
    }

    private mutating func changeBody(_ envelope: inout JSON, _ change: (JSON, inout Mutator) -> JSON) {
        guard let bytes = Data(base64Encoded: envelope["body"]?.string ?? ""),
            let body = try? JSON(parsing: Array(bytes))
        else { return }
        envelope["body"] = .string(Data(change(body, &self).encoded()).base64EncodedString())
    }

    private mutating func changed(_ json: JSON) -> JSON {
        switch json {
        case .object(var members) where !members.isEmpty:
            guard let name = members.keys.sorted().randomElement(using: &random), let value = members[name] else {
                break
            }
            switch Int.random(in: 0..<10, using: &random) {
            case 0: members[name] = nil
            case 1:
                members[name] = nil
                members[oddText()] = value
            case 2: members[name] = odd()
            default: members[name] = changed(value)
            }
            return .object(members)
        case .array(var elements) where !elements.isEmpty:
            let index = Int.random(in: elements.indices, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: elements.remove(at: index)
            case 1: elements.insert(odd(), at: index)
            default: elements[index] = changed(elements[index])
            }
            return .array(elements)
        default: break
        }
        return odd()
    }

    private mutating func odd() -> JSON {
        switch Int.random(in: 0..<16, using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: [0, -1, 1, 9, 256, .integer(.max), .integer(.min)].randomElement(using: &random) ?? 0
        case 3: .bigInteger(String(repeating: "9", count: 400))
        case 4: .number([0.5, -0.0, 1e308, 5e-300, .nan, .infinity, -.infinity].randomElement(using: &random) ?? 0)
        case 5: .unpaired([0xD800, 0x61])
        case 6: []
        case 7: [:]
        case 8: [1, [], "x", nil]
        case 9: ["__type__": "datetime", "__value__": "never"]
        case 10: nested(Int.random(in: 1...400, using: &random))
        case 11: .string(String(repeating: "long ", count: 2000))
        default: .string(oddText())
        }
    }

    private mutating func oddText() -> String {
        [
            "", " ", "\0", "\n", "é", "\u{1F98A}", "interop.add", "interop.echo", "application/json", "base64", "gzip",
            "2020-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00", "../../x", "*", "celery", "\u{6}\u{16}3", "eyJ9",
        ].randomElement(using: &random) ?? ""
    }

    private func nested(_ depth: Int) -> JSON {
        (0..<depth).reduce(JSON.null) { inner, _ in [inner] }
    }

    private mutating func scarred(_ payload: [UInt8]) -> [UInt8] {
        var payload = payload
        if Int.random(in: 0..<4, using: &random) == 0 {
            return Array(payload.prefix(Int.random(in: 0...payload.count, using: &random)))
        }
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard let index = payload.indices.randomElement(using: &random) else { break }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: payload[index] = UInt8.random(in: 0...255, using: &random)
            case 1: payload.remove(at: index)
            case 2: payload.insert(UInt8(ascii: "\""), at: index)
            default: payload[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        }
        return payload
    }
}
