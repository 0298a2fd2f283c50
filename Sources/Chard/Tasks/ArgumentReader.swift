// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Binds the arguments of one message to a task's parameters the way Python does: by position first, then by keyword,
/// then by default. Duplicate, unknown and missing arguments are a `TypeError` that names the task and the argument.
struct ArgumentReader {
    private let task: String
    private let parameters: [Parameter]
    private let positional: [ArraySlice<UInt8>]
    private let keywords: [MessageBody.Keyword]
    private var index = 0

    init(task: String, count: Int, parameters: [Parameter], body: MessageBody) throws {
        self.task = task
        self.parameters = parameters
        positional = body.positional
        keywords = body.keywords
        if positional.count > count {
            throw TaskError.typeError(
                "\(task)() takes \(count) argument\(count == 1 ? "" : "s") but \(positional.count) were given")
        }
        guard !keywords.isEmpty else { return }
        for keyword in keywords {
            guard let position = parameters.firstIndex(where: { $0.name == keyword.name }) else {
                let known = parameters.map { "'\($0.name)'" }.joined(separator: ", ")
                throw TaskError.typeError(
                    "\(task)() got an unexpected keyword argument '\(keyword.name)'"
                        + (parameters.isEmpty ? "; it names no parameters" : "; it takes \(known)"))
            }
            if position < positional.count {
                throw TaskError.typeError("\(task)() got multiple values for argument '\(keyword.name)'")
            }
        }
    }

    mutating func next<Value: Decodable>(_ type: Value.Type) throws -> Value {
        defer { index += 1 }
        if index < positional.count {
            return try decode(type, positional[index])
        }
        if index < parameters.count {
            let parameter = parameters[index]
            if let keyword = keywords.last(where: { $0.name == parameter.name }) {
                return try decode(type, keyword.value)
            }
            if case .success(let value) = parameter.defaultValue {
                return try decode(type, value[...])
            }
        }
        if let optional = type as? any OptionalValue.Type, let absent = optional.absent as? Value { return absent }
        throw TaskError.typeError("\(task)() is missing argument \(label) of type \(type)")
    }

    private var label: String {
        index < parameters.count ? "\(index + 1) '\(parameters[index].name)'" : "\(index + 1)"
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ json: ArraySlice<UInt8>) throws -> Value {
        do {
            return try JSON.decode(type, from: json, limits: .held)
        } catch {
            throw TaskError.typeError("\(task)() argument \(label) must be \(type): \(error.wording)")
        }
    }
}

/// Tells an `Optional` apart from other types that know `nil`.
private protocol OptionalValue {
    static var absent: Self { get }
}

extension Optional: OptionalValue {
    static var absent: Self { nil }
}
