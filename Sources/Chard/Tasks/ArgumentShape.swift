// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How a task's arguments lie in a message.
enum ArgumentShape: Sendable {
    /// Each in its place, or under its parameter's name.
    case positional([Parameter])
    /// The fields of one `Codable` value as keyword arguments.
    case keywords
    /// As they come, untyped.
    case raw

    /// The names of what lies in places.
    var parameters: [Parameter] {
        if case .positional(let parameters) = self { parameters } else { [] }
    }
}

/// Encodes and decodes a pack of arguments by its shape: the one place that knows both ways.
struct ArgumentCoder<each Argument: Codable & Sendable>: Sendable {
    let task: String
    let shape: ArgumentShape

    /// What is wrong with the parameters that were declared for these types.
    var problems: [String] {
        guard case .positional(let parameters) = shape, !parameters.isEmpty else { return [] }
        var problems: [String] = []
        let names = typeNames
        if parameters.count != names.count {
            problems.append("it declares \(parameters.count) parameters, its body takes \(names.count)")
        }
        if Set(parameters.map(\.name)).count < parameters.count { problems.append("two parameters share a name") }
        var index = 0
        func check<Value: Decodable>(_ type: Value.Type) {
            defer { index += 1 }
            guard index < parameters.count, let value = parameters[index].defaultValue else { return }
            do {
                _ = try JSON.decode(type, from: try value.get())
            } catch {
                problems.append("the default of '\(parameters[index].name)' is no \(type): \(error.wording)")
            }
        }
        repeat check((each Argument).self)
        return problems
    }

    var signature: [String] {
        switch shape {
        case .raw: return ["*args", "**kwargs"]
        case .keywords: return typeNames.map { "**\($0)" }
        case .positional(let parameters):
            return typeNames.enumerated().map { index, type in
                guard index < parameters.count else { return type }
                let parameter = parameters[index]
                guard case .success(let value) = parameter.defaultValue else { return "\(parameter.name): \(type)" }
                return "\(parameter.name): \(type) = \(String(decoding: value, as: UTF8.self))"
            }
        }
    }

    private var typeNames: [String] {
        var names: [String] = []
        // Not by `String(describing:)`, which comes to the same: before that it asks for a dozen conformances, for each of which the
        // runtime searches all those of the program, a third of a millisecond at the start of each worker.
        repeat names.append(_typeName((each Argument).self, qualified: false))
        return names
    }

    func encode(_ arguments: repeat each Argument) throws -> MessageBody {
        switch shape {
        case .positional:
            var values: [[UInt8]] = []
            values.reserveCapacity(4)
            for argument in repeat each arguments {
                values.append(try encoded(argument, position: values.count))
            }
            return MessageBody(positional: values)
        case .keywords:
            var body = MessageBody()
            for argument in repeat each arguments {
                guard case .object(let fields) = try JSON(encoding: argument) else {
                    throw AppError("\(task)() takes the fields of one value as keyword arguments; \(argument) has none")
                }
                body = MessageBody(Arguments([], keywords: fields))
            }
            return body
        case .raw:
            for argument in repeat each arguments {
                if let raw = argument as? Arguments { return MessageBody(raw) }
            }
            return MessageBody()
        }
    }

    func decode(_ body: MessageBody) throws -> (repeat each Argument) {
        switch shape {
        case .positional(let parameters):
            var count = 0
            for _ in repeat (each Argument).self { count += 1 }
            var reader = try ArgumentReader(task: task, count: count, parameters: parameters, body: body)
            return (repeat try reader.next((each Argument).self))
        case .keywords:
            if !body.positional.isEmpty {
                throw TaskError.typeError("\(task)() takes keyword arguments only")
            }
            let fields = try body.arguments(limits: .held).keywords
            return (repeat try decodeFields((each Argument).self, fields))
        case .raw:
            let arguments = try body.arguments(limits: .held)
            return (repeat try cast(arguments, to: (each Argument).self))
        }
    }

    private func encoded(_ argument: some Encodable, position: Int) throws -> [UInt8] {
        do {
            return try JSON.encode(argument)
        } catch {
            throw AppError("\(task)() argument \(position + 1) of type \(type(of: argument)): \(error.wording)")
        }
    }

    private func decodeFields<Value: Decodable>(_ type: Value.Type, _ fields: [String: JSON]) throws -> Value {
        do {
            return try JSON.object(fields).decode(type)
        } catch {
            throw TaskError.typeError("\(task)() arguments do not fit \(type): \(error.wording)")
        }
    }

    private func cast<Value>(_ arguments: Arguments, to type: Value.Type) throws -> Value {
        guard let value = arguments as? Value else {
            throw TaskError.typeError("\(task)() takes untyped arguments, not \(type)")
        }
        return value
    }
}

extension Arguments: Codable {
    private enum CodingKeys: String, CodingKey {
        case positional = "args", keywords = "kwargs"
    }

    /// Reads `{"args": [...], "kwargs": {...}}`, either of which may be absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decodeIfPresent([JSON].self, forKey: .positional) ?? [],
            keywords: try container.decodeIfPresent([String: JSON].self, forKey: .keywords) ?? [:])
    }

    /// Writes `{"args": [...], "kwargs": {...}}`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(positional, forKey: .positional)
        try container.encode(keywords, forKey: .keywords)
    }
}
