// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The settings file: one JSON object, whose keys are checked, since a misspelt one would be ignored in silence.
struct SettingsFile: Sendable {
    /// Where it is, as somebody has said.
    let path: String
    private let values: [Setting: SettingValue]

    /// Reads the file.
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
        var values: [Setting: SettingValue] = [:]
        for (key, member) in members.sorted(by: { $0.key < $1.key }) {
            guard let setting = Setting.all.first(where: { $0.name == key }) else {
                let hint = Suggestion.hint(for: key, among: Setting.all.map(\.name))
                throw CommandError("\(path): unknown key \"\(key)\"\(hint)", status: .misused)
            }
            guard let value = SettingValue(member: member, as: setting.kind) else {
                throw CommandError("\(path): \(key) is not \(setting.expected)", status: .misused)
            }
            values[setting] = value
        }
        self.path = path
        self.values = values
    }

    /// What the file says of a setting.
    subscript(setting: Setting) -> SettingValue? { values[setting] }
}
