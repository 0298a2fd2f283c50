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
            case .text, .url, .secret: .text(text)
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
            case .text, .url, .secret: json.string.map(SettingValue.text)
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

    /// The value as an environment variable has it.
    var text: String {
        switch self {
        case .text(let text): text
        case .names(let names): names.joined(separator: ",")
        case .wholeNumber(let number): "\(number)"
        case .wholeNumbers(let numbers): numbers.map(String.init).joined(separator: ",")
        case .number(let number): Int(exactly: number).map(String.init) ?? "\(number)"
        case .flag(let value): "\(value)"
        }
    }

    /// The value as the settings file has it.
    var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .names(let names): .array(names.map(JSON.string))
        case .wholeNumber(let number): .integer(number)
        case .wholeNumbers(let numbers): .array(numbers.map(JSON.integer))
        case .number(let number): Int(exactly: number).map(JSON.integer) ?? .number(number)
        case .flag(let value): .bool(value)
        }
    }
}
