// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One thing that can be set from outside: by a flag, an environment variable or the settings file.
///
/// The file's key is the variable's name in lower case, without `CHARD_`. All of them are in ``all``.
struct Setting: Sendable {
    /// What kind of value it has.
    enum Kind: Sendable, Hashable {
        case text, url, secret, names, wholeNumber, wholeNumbers, number, flag
    }

    /// The key in the settings file.
    let name: String
    let kind: Kind
    /// What a value looks like, in words.
    let expected: String
    /// The flag that wins over it, where commands have one.
    let flag: String?
    /// What counts where nobody has set it: a value, or words in brackets.
    let usual: String
    /// What it does, for the documentation.
    let meaning: String
    /// Throws for a value of its kind that cannot be used; the origin is where the value was found.
    let check: @Sendable (_ value: SettingValue, _ origin: String) throws -> Void

    init(
        _ name: String, _ kind: Kind, expected: String, flag: String? = nil, usual: String, _ meaning: String,
        check: @escaping @Sendable (SettingValue, String) throws -> Void = { _, _ in }
    ) {
        self.name = name
        self.kind = kind
        self.expected = expected
        self.flag = flag
        self.usual = usual
        self.meaning = meaning
        self.check = check
    }

    /// The environment variable.
    var variable: String { Self.variablePrefix + name.uppercased() }

    /// What counts where nobody has set it, if that is a value and no words.
    var usualValue: SettingValue? { usual.hasPrefix("(") ? nil : SettingValue(variable: usual, as: kind) }

    static let variablePrefix = "CHARD_"
    /// Names the settings file; it makes no sense inside of it.
    static let configVariable = variablePrefix + "CONFIG"

    /// More is a slip: each costs a connection for each list, and memory.
    static let mostProcesses = 1_024
    /// More than that are never busy at once.
    static let mostSlots = 10_000
}

extension Setting: Hashable {
    static func == (one: Setting, other: Setting) -> Bool { one.name == other.name }

    func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
