// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Answers of remote control as tables, for people.
enum RemoteAnswers {
    static func text(_ replies: [ControlReply]) -> String {
        var words = Table("NODE", "ANSWER")
        var tasks = Table("NODE", "ID", "TASK", "ARGS", "KWARGS", "QUEUE", "STATE")
        var queues = Table("NODE", "QUEUE")
        var values = Table("NODE", "NAME", "VALUE")
        var texts: [String] = []
        for reply in replies {
            let node = reply.node
            switch reply.answer {
            case .array(let elements) where elements.isEmpty:
                words.add(node, "none")
            case .array(let elements):
                for element in elements {
                    if let request = Request(element) {
                        request.add(to: &tasks, of: node, nil)
                    } else if let name = element["name"]?.string {
                        queues.add(node, name)
                    } else {
                        words.add(node, word(element))
                    }
                }
            case .object(let members):
                if let error = reply.error {
                    words.add(node, "error: \(error)")
                } else if members.count == 1, let text = members["ok"]?.string {
                    if text.contains("\n") {
                        texts.append("\(node.printable())\n\(text.printable(keepingNewlines: true))")
                    } else {
                        words.add(node, text)
                    }
                } else if members.isEmpty {
                    words.add(node, "none")
                } else if members.values.allSatisfy({ $0[1].flatMap(Request.init) != nil }) {
                    for (_, pair) in members.sorted(by: { $0.key < $1.key }) {
                        pair[1].flatMap(Request.init)?.add(to: &tasks, of: node, pair[0]?.string)
                    }
                } else {
                    for (name, value) in flat(members) { values.add(node, name, word(value)) }
                }
            default:
                words.add(node, word(reply.answer))
            }
        }
        let tables = [words, tasks, queues, values].filter { !$0.isEmpty }.map(\.text)
        return (tables + texts).joined(separator: "\n\n")
    }

    /// A message as a worker tells of it.
    private struct Request {
        let json: JSON
        let eta: String?

        init?(_ json: JSON) {
            let request = json["request"] ?? json
            guard request["id"]?.string != nil, request["name"]?.string != nil else { return nil }
            self.json = request
            eta = json["eta"]?.string
        }

        func add(to table: inout Table, of node: String, _ state: String?) {
            let since = json["time_start"]?.number.map { max(0, (Date().timeIntervalSince1970 - $0).rounded()) }
            table.add(
                node, json["id"]?.string ?? "", json["name"]?.string ?? "", word(json["args"] ?? .null),
                word(json["kwargs"] ?? .null), json["delivery_info"]?["routing_key"]?.string ?? "",
                eta.map { "due at \($0)" } ?? since.map { "runs for \(Words.duration($0))" } ?? state ?? "reserved")
        }
    }

    private static func word(_ json: JSON) -> String { json.string ?? json.description }

    /// Members of members under names with points between, in order.
    private static func flat(_ members: [String: JSON], below name: String = "") -> [(String, JSON)] {
        members.sorted { $0.key < $1.key }.flatMap { key, value in
            if let inner = value.object, !inner.isEmpty { return flat(inner, below: name + key + ".") }
            return [(name + key, value)]
        }
    }
}
