// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging

/// How a log entry becomes a line.
enum LogFormat: String, CaseIterable, Sendable {
    /// Time, level, label, message and metadata, for people.
    case text
    /// One JSON object a line, for programs that gather logs.
    case json

    /// Reads a format's name as people write it.
    init(naming name: String, from origin: String) throws(CommandError) {
        guard let format = Self(rawValue: name.lowercased()) else {
            let hint = Suggestion.hint(for: name, among: Self.allCases.map(\.rawValue))
            throw CommandError(
                "\(origin): there is no log format \"\(name)\"\(hint); text and json are", status: .misused)
        }
        self = format
    }

    /// The line of an entry, without its end.
    func line(_ entry: LogEntry, isColoured: Bool = false) -> String {
        switch self {
        case .text: text(entry, isColoured)
        case .json: json(entry)
        }
    }

    private func text(_ entry: LogEntry, _ isColoured: Bool) -> String {
        let colour = isColoured ? Self.colour(of: entry.level) : nil
        let level = colour.map { "\u{1B}[\($0)m\(entry.level)\u{1B}[0m" } ?? "\(entry.level)"
        var line = "\(Timestamp.text(for: entry.time)) \(level) \(entry.label): \(entry.message.printable())"
        for (key, value) in entry.metadata.sorted(by: { $0.key < $1.key }) {
            let text = "\(value)".printable()
            let isWord = !text.isEmpty && !text.utf8.contains { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\"") }
            line += isWord ? " \(key.printable())=\(text)" : " \(key.printable())=\"\(text)\""
        }
        return line
    }

    private static func colour(of level: Logger.Level) -> String? {
        switch level {
        case .trace, .debug: "2"
        case .info: nil
        case .notice: "36"
        case .warning: "33"
        case .error, .critical: "31"
        }
    }

    /// Metadata stands beside the entry's own members, and where it has a name of theirs, behind `metadata.`.
    private func json(_ entry: LogEntry) -> String {
        var members: [String: JSON] = [:]
        for (key, value) in entry.metadata { members[key] = JSON(value) }
        let own: [(String, JSON)] = [
            ("time", .string(Timestamp.text(for: entry.time))), ("level", .string("\(entry.level)")),
            ("logger", .string(entry.label)), ("message", .string(entry.message)),
        ]
        for (name, value) in own {
            if let taken = members.updateValue(value, forKey: name) { members["metadata.\(name)"] = taken }
        }
        return JSON.object(members).strict.description
    }
}

/// What one log line says.
struct LogEntry {
    var time: Date
    var level: Logger.Level
    var label: String
    var message: String
    var metadata: Logger.Metadata = [:]
}

extension JSON {
    /// A value of a log entry; numbers and truth as such, all else that is no list as text.
    fileprivate init(_ value: Logger.MetadataValue) {
        self =
            switch value {
            case .string(let text): .string(text)
            case .stringConvertible(let number as Int): .integer(number)
            case .stringConvertible(let number as Double): .number(number)
            case .stringConvertible(let flag as Bool): .bool(flag)
            case .stringConvertible(let value): .string("\(value)")
            case .array(let values): .array(values.map(JSON.init))
            case .dictionary(let members): .object(members.mapValues(JSON.init))
            @unknown default: .string("\(value)")
            }
    }
}
