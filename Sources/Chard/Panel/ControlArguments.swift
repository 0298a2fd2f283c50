// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The arguments of a request, checked as Python checks a call.
struct ControlArguments {
    let method: String
    let values: [String: JSON]

    /// - Parameters:
    ///   - required: Without these it is no call.
    ///   - others: What else it may have; `nil` for whatever somebody may think of.
    init(
        _ values: [String: JSON], of method: String, required: [String], others: [String]?
    ) throws(ControlError) {
        self.method = method
        self.values = values
        if let others,
            let unknown = values.keys.sorted().first(where: { !required.contains($0) && !others.contains($0) })
        {
            throw .type("\(method)() got an unexpected keyword argument '\(unknown.limited)'")
        }
        let missing = required.filter { values[$0] == nil }
        guard missing.isEmpty else {
            let names = missing.map { "'\($0)'" }.joined(separator: " and ")
            throw .type(
                "\(method)() missing \(missing.count) required positional argument\(missing.count == 1 ? "" : "s"): \(names)"
            )
        }
    }

    subscript(name: String) -> JSON { values[name] ?? .null }

    func flag(_ name: String) -> Bool { self[name].bool ?? false }

    func text(_ name: String) throws(ControlError) -> String {
        guard let text = self[name].string, !text.isEmpty else {
            throw .type("\(method)() takes text as '\(name)', and got \(Self.shown(self[name]))")
        }
        return text
    }

    /// One text or several, each once, in their order.
    func texts(_ name: String) throws(ControlError) -> [String] {
        let values: [JSON]
        switch self[name] {
        case .null: values = []
        case .array(let elements): values = elements
        case let one: values = [one]
        }
        var seen: Set<String> = []
        var texts: [String] = []
        for value in values {
            guard let text = value.string, !text.isEmpty else {
                throw .type("\(method)() takes texts as '\(name)', and got \(Self.shown(value))")
            }
            if seen.insert(text).inserted { texts.append(text) }
        }
        return texts
    }

    func count(_ name: String, else missing: Int? = nil) throws(ControlError) -> Int {
        if self[name].isNull, let missing { return missing }
        guard let count = self[name].integer ?? self[name].string.flatMap(Int.init), count >= 0 else {
            throw .value("\(method)() takes a count as '\(name)', and got \(Self.shown(self[name]))")
        }
        return count
    }

    func seconds(_ name: String) throws(ControlError) -> Duration? {
        guard !self[name].isNull else { return nil }
        guard let seconds = self[name].number ?? self[name].string.flatMap(Double.init), seconds.isFinite, seconds >= 0
        else { throw .value("\(method)() takes seconds as '\(name)', and got \(Self.shown(self[name]))") }
        return seconds > 0 ? Duration(untrusted: seconds) : nil
    }

    static func shown(_ value: JSON) -> String { PythonText.value(value.encoded()).limited }
}
