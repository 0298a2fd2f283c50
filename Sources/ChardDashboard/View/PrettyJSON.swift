// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A JSON value over several lines, as people read it. Numbers stay as they are, of any size.
enum PrettyJSON {
    static func text(of value: JSON) -> String {
        var text = ""
        write(value, indent: "", to: &text)
        return text
    }

    private static func write(_ value: JSON, indent: String, to text: inout String) {
        let inner = indent + "  "
        switch value {
        case .array(let values) where !values.isEmpty:
            text += "["
            for (index, value) in values.enumerated() {
                text += index == 0 ? "\n\(inner)" : ",\n\(inner)"
                write(value, indent: inner, to: &text)
            }
            text += "\n\(indent)]"
        case .object(let members) where !members.isEmpty:
            text += "{"
            for (index, name) in members.keys.sorted().enumerated() {
                text += index == 0 ? "\n\(inner)" : ",\n\(inner)"
                text += String(decoding: JSON.string(name).encoded(), as: UTF8.self) + ": "
                write(members[name] ?? .null, indent: inner, to: &text)
            }
            text += "\n\(indent)}"
        default: text += String(decoding: value.encoded(), as: UTF8.self)
        }
    }
}
