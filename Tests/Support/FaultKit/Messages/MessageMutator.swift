// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import TestServers

/// Makes messages that no client would send of those that clients do send: the same ones for the same seed.
struct MessageMutator: RandomNumberGenerator {
    private var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(state: seed)
    }

    /// The task messages that were recorded.
    static func fixtures() throws -> [[UInt8]] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Fixtures/celery").standardizedFileURL
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let messages = try files.filter { $0.pathExtension == "json" }.flatMap { file -> [[UInt8]] in
            let json = try JSON(parsing: Array(Data(contentsOf: file)))
            return (json["redis_commands"]?.array ?? []).compactMap { entry in
                guard let words = entry["command"]?.array, words.count == 3, words[0] == "LPUSH" else { return nil }
                return words[2].string.map { Array($0.utf8) }
            }
        }
        guard !messages.isEmpty else { throw TestServerError("no messages in \(folder.path)") }
        return messages
    }

    mutating func next() -> UInt64 {
        random.next()
    }

    /// One to three changes.
    mutating func mutated(_ message: [UInt8]) -> [UInt8] {
        var message = message
        for _ in 0..<Int.random(in: 1...3, using: &self) where !message.isEmpty { change(&message) }
        return message
    }

    private mutating func change(_ message: inout [UInt8]) {
        let place = Int.random(in: message.indices, using: &self)
        let end = min(message.count, place + Int.random(in: 1...24, using: &self))
        switch Int.random(in: 0..<9, using: &self) {
        case 0: message[place] = UInt8.random(in: 0...255, using: &self)
        case 1: message.removeLast(message.count - place)
        case 2: message.removeSubrange(place..<end)
        case 3: message.insert(contentsOf: message[place..<end], at: place)
        case 4: message.insert(contentsOf: Self.oddities.randomElement(using: &self) ?? [], at: place)
        case 5: replace(&message, of: #""[^"]*""#, by: Self.values)
        case 6: replace(&message, of: #"-?[0-9]+(\.[0-9]+)?"#, by: Self.values)
        case 7: replace(&message, of: #"null|true|false"#, by: Self.values)
        default: changeBody(&message)
        }
    }

    private mutating func replace(_ message: inout [UInt8], of pattern: String, by values: [String]) {
        let text = String(decoding: message, as: UTF8.self)
        guard let expression = try? NSRegularExpression(pattern: pattern),
            let match = expression.matches(in: text, range: NSRange(text.startIndex..., in: text))
                .randomElement(using: &self),
            let range = Range(match.range, in: text)
        else { return }
        message = Array(text.replacingCharacters(in: range, with: values.randomElement(using: &self) ?? "").utf8)
    }

    /// Changes what the base64 of the body stands for.
    private mutating func changeBody(_ message: inout [UInt8]) {
        guard var json = try? JSONSerialization.jsonObject(with: Data(message)) as? [String: Any],
            let body = (json["body"] as? String).flatMap({ Data(base64Encoded: $0) }), !body.isEmpty
        else { return }
        var bytes = Array(body)
        let place = Int.random(in: bytes.indices, using: &self)
        bytes.replaceSubrange(
            place..<min(bytes.count, place + 4), with: Array((Self.values.randomElement(using: &self) ?? "").utf8))
        json["body"] = Data(bytes).base64EncodedString()
        // Often a task that exists, so that the body is looked at.
        if Bool.random(using: &self), var headers = json["headers"] as? [String: Any] {
            headers["task"] = "quick"
            json["headers"] = headers
        }
        if let changed = try? JSONSerialization.data(withJSONObject: json) { message = Array(changed) }
    }

    private static let oddities: [[UInt8]] = [
        [0], [0xFF, 0xFE], [0xC0, 0x80], [0xED, 0xA0, 0x80], Array(#"\ud800"#.utf8), Array(#"\u0000"#.utf8),
        Array(repeating: UInt8(ascii: "["), count: 3000), Array(repeating: UInt8(ascii: "{"), count: 300),
        Array(#","id":"x","id":null"#.utf8), Array(String(repeating: "9", count: 400).utf8), Array("1e999999".utf8),
    ]

    private static let values = [
        "null", "true", "0", "-1", "9223372036854775808", "1e400", "NaN", "[]", "{}", "[[]]", #""""#, #""\u0000""#,
        #""quick""#, #""crash \n""#, #"{"a":[1,{"b":null}]}"#, #""2000-01-01T00:00:00""#, #""9999-99-99T99:99:99Z""#,
        #"[{},[],{}]"#, #"[[0],{},{}]"#, #"[[0],{},{"chain":[{}]}]"#, String(repeating: "[", count: 500),
        #""utf-16""#, #""application/x-python-serialize""#, #""gzip""#, #""celery""#, #"-0.0"#, #"{"retries":-5}"#,
    ]
}
