// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The settings file, JSON or YAML by the ending of its name. Its keys are checked, since a misspelt one would be ignored in
/// silence.
struct SettingsFile: Sendable {
    /// Where it is, as somebody has said.
    let path: String
    /// What is wrong with it, one line each.
    let problems: [String]
    private let values: [Setting: Found]

    private struct Found {
        let value: SettingValue
        let origin: String
    }

    /// Reads the file; throws if nothing in it can be read.
    init(at path: String) throws(CommandError) {
        let content: Data
        do {
            content = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            throw CommandError("there is no settings file \(path)", status: .misused)
        } catch {
            throw CommandError("the settings file \(path) cannot be read", status: .misused)
        }
        try self.init(parsing: Array(content), path: path)
    }

    /// Reads the file's text.
    init(parsing text: [UInt8], path: String) throws(CommandError) {
        let entries = try SettingsEntry.entries(of: text, path: path)
        var values: [Setting: Found] = [:]
        var problems: [String] = []
        for entry in entries {
            guard let setting = Setting.all.first(where: { $0.name == entry.key }) else {
                let hint = Suggestion.hint(for: entry.key, among: Setting.all.map(\.name))
                problems.append("\(entry.place): unknown key \"\(entry.key)\"\(hint)")
                continue
            }
            let origin = "\(entry.place): \(entry.key)"
            guard let value = entry.value(setting.kind) else {
                problems.append("\(origin) is not \(setting.expected)")
                continue
            }
            do {
                try setting.check(value, origin)
                values[setting] = Found(value: value, origin: origin)
            } catch {
                problems.append("\(error)")
            }
        }
        self.path = path
        self.problems = problems
        self.values = values
    }

    /// Throws if anything is wrong with it.
    func validate() throws(CommandError) {
        guard !problems.isEmpty else { return }
        throw CommandError(problems.joined(separator: "\n"), status: .misused)
    }

    /// What the file says of a setting, and where.
    subscript(setting: Setting) -> (value: SettingValue, origin: String)? {
        values[setting].map { ($0.value, $0.origin) }
    }
}
