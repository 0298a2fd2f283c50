// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Yams

/// One key of a settings file with its value, as it was written.
struct SettingsEntry {
    let key: String
    /// The file, and in YAML the line.
    let place: String
    /// The value, if it is one of that kind.
    let value: (Setting.Kind) -> SettingValue?

    /// Reads JSON or, where the file's name ends in `.yaml` or `.yml`, YAML.
    static func entries(of text: [UInt8], path: String) throws(CommandError) -> [SettingsEntry] {
        let isYAML = [".yaml", ".yml"].contains { path.lowercased().hasSuffix($0) }
        return try isYAML ? entries(ofYAML: text, path) : entries(ofJSON: text, path)
    }

    private static func entries(ofJSON text: [UInt8], _ path: String) throws(CommandError) -> [SettingsEntry] {
        let json: JSON
        do {
            json = try JSON(parsing: text)
        } catch {
            throw CommandError("\(path) is not JSON: \(error)", status: .misused)
        }
        guard let members = json.object else {
            throw CommandError(
                "\(path) holds no JSON object such as {\"broker_url\": \"redis://localhost:6379/0\"}", status: .misused)
        }
        return members.sorted { $0.key < $1.key }.map { key, member in
            SettingsEntry(key: key, place: path) { SettingValue(member: member, as: $0) }
        }
    }

    private static func entries(ofYAML text: [UInt8], _ path: String) throws(CommandError) -> [SettingsEntry] {
        guard let text = String(validating: text, as: UTF8.self) else {
            throw CommandError("\(path) is not YAML: it is not UTF-8", status: .misused)
        }
        let document: Node?
        do {
            document = try Yams.compose(yaml: text)
        } catch {
            throw CommandError("\(path) is not YAML: \(words(for: error))", status: .misused)
        }
        // Nothing but comments sets nothing.
        guard let document else { return [] }
        guard let mapping = document.mapping else {
            throw CommandError(
                "\(path) holds no keys with values, such as broker_url: redis://localhost:6379/0", status: .misused)
        }
        return mapping.map { key, node in
            SettingsEntry(key: key.scalar?.string ?? "?", place: key.mark.map { "\(path):\($0.line)" } ?? path) {
                SettingValue(node: node, as: $0)
            }
        }
    }

    private static func words(for error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return "line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping(let keys, let context):
            return "line \(context.mark.line): \(keys.sorted().joined(separator: ", ")) stands there more than once"
        case .reader(let problem, _, _, _): return problem
        default: return "\(error)".split(separator: "\n").first.map(String.init) ?? "it cannot be read"
        }
    }
}

extension SettingValue {
    /// Reads what a YAML file has; `nil` if it is no value of this kind. What YAML itself would take a word for, such as `no` for
    /// a truth value, is of no account: the setting says what it is.
    fileprivate init?(node: Node, as kind: Setting.Kind) {
        switch (node, kind) {
        case (.scalar(let scalar), _):
            let isNull = scalar.style == .plain && ["", "~", "null"].contains(scalar.string.lowercased())
            guard !isNull else { return nil }
            self.init(variable: scalar.string, as: kind)
        case (.sequence(let nodes), .names):
            let names = nodes.compactMap(\.scalar?.string)
            guard names.count == nodes.count else { return nil }
            self = .names(names)
        case (.sequence(let nodes), .wholeNumbers):
            let numbers = nodes.compactMap { $0.scalar.flatMap { Int($0.string) } }
            guard numbers.count == nodes.count else { return nil }
            self = .wholeNumbers(numbers)
        default: return nil
        }
    }
}
