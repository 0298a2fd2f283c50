// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The value of a setting, of the kind that the setting has.
enum SettingValue: Sendable, Hashable {
    case text(String)
    case names([String])
    case wholeNumber(Int)
    case wholeNumbers([Int])
    case number(Double)
    case flag(Bool)

    /// Reads an environment variable; `nil` if it is no value of this kind.
    init?(variable text: String, as kind: Setting.Kind) {
        let value: SettingValue? =
            switch kind {
            case .text: .text(text)
            case .names: .names(NameList.names(in: [text]))
            case .wholeNumber: Int(text).map(SettingValue.wholeNumber)
            case .wholeNumbers:
                Self.numbers(in: NameList.names(in: [text]).map(Int.init)).map(SettingValue.wholeNumbers)
            case .number: Double(text).map(SettingValue.number)
            case .flag: Self.flags[text.lowercased()].map(SettingValue.flag)
            }
        guard let value else { return nil }
        self = value
    }

    /// Reads what the settings file has; `nil` if it is no value of this kind.
    init?(member json: JSON, as kind: Setting.Kind) {
        let value: SettingValue? =
            switch kind {
            case .text: json.string.map(SettingValue.text)
            case .names: Self.names(in: json).map(SettingValue.names)
            case .wholeNumber: json.integer.map(SettingValue.wholeNumber)
            case .wholeNumbers:
                json.array.flatMap { Self.numbers(in: $0.map(\.integer)) }.map(SettingValue.wholeNumbers)
            case .number: json.number.map(SettingValue.number)
            case .flag: json.bool.map(SettingValue.flag)
            }
        guard let value else { return nil }
        self = value
    }

    private static let flags = [
        "1": true, "true": true, "yes": true, "on": true, "0": false, "false": false, "no": false, "off": false,
    ]

    /// All of them, if there is no gap.
    private static func numbers(in numbers: [Int?]) -> [Int]? {
        numbers.contains(nil) ? nil : numbers.compactMap(\.self)
    }

    private static func names(in json: JSON) -> [String]? {
        guard let elements = json.array else { return nil }
        let names = elements.compactMap(\.string)
        return names.count == elements.count ? names : nil
    }
}
