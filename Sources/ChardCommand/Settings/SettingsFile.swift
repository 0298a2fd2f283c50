// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Configuration
import FoundationEssentials

/// The settings file: one JSON object, whose keys are checked, since a misspelt one would be ignored in silence.
enum SettingsFile {
    /// Reads the file.
    static func provider(readingFrom path: String) throws(CommandError) -> InMemoryProvider {
        let content: Data
        do {
            content = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            throw CommandError("there is no settings file \(path)", status: .misused)
        } catch {
            throw CommandError("the settings file \(path) cannot be read", status: .misused)
        }
        return try provider(parsing: Array(content), name: path)
    }

    /// Reads the file's text.
    static func provider(parsing text: [UInt8], name: String) throws(CommandError) -> InMemoryProvider {
        let json: JSON
        do {
            json = try JSON(parsing: text)
        } catch {
            throw CommandError("\(name) is not JSON: \(error)", status: .misused)
        }
        guard let members = json.object else {
            throw CommandError(
                "\(name) holds no JSON object such as {\"broker_url\": \"redis://localhost:6379/0\"}", status: .misused)
        }
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let setting = Setting.all.first(where: { $0.name == key }) else {
                let hint = Suggestion.hint(for: key, among: Setting.all.map(\.name))
                throw CommandError("\(name): unknown key \"\(key)\"\(hint)", status: .misused)
            }
            guard let content = content(of: value, as: setting.type) else {
                throw CommandError("\(name): \(key) is not \(setting.expected)", status: .misused)
            }
            values[setting.key] = ConfigValue(content, isSecret: true)
        }
        return InMemoryProvider(name: name, values: values)
    }

    private static func content(of value: JSON, as type: ConfigType) -> ConfigContent? {
        switch type {
        case .string: return value.string.map(ConfigContent.string)
        case .int: return value.integer.map(ConfigContent.int)
        case .double: return value.number.map(ConfigContent.double)
        case .stringArray:
            guard let elements = value.array else { return nil }
            let names = elements.compactMap(\.string)
            return names.count == elements.count ? .stringArray(names) : nil
        default: return nil
        }
    }
}
