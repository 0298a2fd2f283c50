// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

/// Reads values of options, and says what they should look like.
enum OptionValues {
    static func array(_ text: String) throws -> [JSON] {
        guard let array = try json(text).array else {
            throw ValidationError("it is no JSON array such as '[1, \"two\"]'")
        }
        return array
    }

    static func object(_ text: String) throws -> [String: JSON] {
        guard let object = try json(text).object else {
            throw ValidationError("it is no JSON object such as '{\"size\": 3}'")
        }
        return object
    }

    static func json(_ text: String) throws -> JSON {
        let json: JSON
        do {
            json = try JSON(parsing: Array(text.utf8))
        } catch {
            throw ValidationError("it is not JSON: \(error)")
        }
        guard json.isFinite else { throw ValidationError("it holds a number that JSON has no way to write") }
        return json
    }

    static func time(_ text: String) throws -> Date {
        guard let date = Timestamp.date(from: text) else {
            throw ValidationError("it is no time such as 2026-11-21T20:31:53+01:00 (without an offset it is UTC)")
        }
        return date
    }

    static func header(_ text: String) throws -> (name: String, value: String) {
        guard let separator = text.firstIndex(of: "="), separator > text.startIndex else {
            throw ValidationError("it is not of the form name=value")
        }
        let name = String(text[..<separator])
        guard !EnqueueOptions.isReserved(header: name) else {
            throw ValidationError("'\(name)' is a header of the message's own")
        }
        return (name, String(text[text.index(after: separator)...]))
    }

    /// A number of things, at least one.
    @Sendable
    static func count(_ text: String) throws -> Int { try count(text, upTo: 1_000_000_000) }

    /// The same, for what more of is a slip.
    static func count(upTo most: Int) -> @Sendable (String) throws -> Int {
        { try count($0, upTo: most) }
    }

    private static func count(_ text: String, upTo most: Int) throws -> Int {
        guard let number = Int(text) else { throw ValidationError("it is no whole number") }
        guard number > 0 else { throw ValidationError("it must be at least 1") }
        guard number <= most else { throw ValidationError("it must be no more than \(most)") }
        return number
    }

    /// A name that is not empty.
    static func name(_ text: String) throws -> String {
        guard !text.isEmpty else { throw ValidationError("it is empty") }
        return text
    }

    /// A list of at least one name, with commas between.
    static func list(_ text: String) throws -> String {
        guard !NameList.names(in: [text]).isEmpty else { throw ValidationError("it names nothing") }
        return text
    }
}
