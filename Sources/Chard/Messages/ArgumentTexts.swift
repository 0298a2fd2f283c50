// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Which arguments may be shown as text, in messages (`argsrepr`) and in logs.
struct ArgumentTexts: Sendable, Hashable {
    /// Whether any may be.
    var isShown = true
    /// The names whose values nobody is to read, in small letters.
    private let hidden: [[UInt8]]

    /// Makes a rule that hides the values under these names.
    init(isShown: Bool = true, hiding names: some Sequence<String> = []) {
        self.isShown = isShown
        hidden = Set(names).map { Array($0.lowercased().utf8) }.sorted { $0.count < $1.count }
    }

    /// Whether the value under a name is not to be read; capitals make no difference.
    func hides(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { hides($0) }
    }

    /// Without memory of its own: it is asked for every name of every call.
    func hides(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        for secret in hidden where secret.count == name.count {
            if secret.elementsEqual(name, by: { $0 == $1 || (0x41...0x5A).contains($1) && $0 == $1 | 0x20 }) {
                return true
            }
        }
        return false
    }

    /// The positional arguments as text, those of the parameters with a hidden name not; `nil` where none may be shown.
    func positional(_ body: MessageBody, of parameters: [Parameter] = []) -> String? {
        isShown ? PythonText.tuple(body.positional, parameters, self) : nil
    }

    /// A value without what is hidden in it.
    func redacted(_ value: JSON) -> JSON {
        switch value {
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { ($0, hides($0) ? "***" : redacted($1)) }))
        case .array(let elements): .array(elements.map(redacted))
        default: value
        }
    }

    /// The keyword arguments as text; `nil` where none may be shown.
    func keywords(_ body: MessageBody) -> String? {
        isShown ? PythonText.dictionary(body.keywords, self) : nil
    }
}
