// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a failed task left behind: an error in the form that Celery stores, an exception's class and arguments.
public struct ExceptionInfo: Sendable, Hashable {
    /// The name of the class, without its module.
    public var type: String
    /// Where the class is from; `builtins` for Python's own.
    public var module: String?
    /// The arguments of the exception; nearly always one, the message.
    public var message: [JSON]

    /// An error of a named type.
    public init(type: String, module: String? = nil, message: [JSON]) {
        self.type = type
        self.module = module
        self.message = message
    }

    /// Reads `{"exc_type": "ValueError", "exc_message": ["boom"], "exc_module": "builtins"}`; nil if it is not of this
    /// kind. A message that is not a list counts as the only argument.
    public init?(_ json: JSON) {
        guard let type = json["exc_type"]?.string else { return nil }
        let message = json["exc_message"] ?? .null
        self.init(
            type: type, module: json["exc_module"]?.string,
            message: message.array ?? (message.isNull ? [] : [message]))
    }

    /// The form that Celery stores.
    public var json: JSON {
        [
            "exc_type": .string(type), "exc_message": .array(message),
            "exc_module": module.map(JSON.string) ?? .null,
        ]
    }

    /// The message for people: the only argument as it is, several the way Python shows a tuple.
    public var text: String {
        switch message.count {
        case 0: ""
        case 1: message[0].string ?? message[0].description
        default: Arguments(message).positionalText
        }
    }
}

extension ExceptionInfo: CustomStringConvertible {
    /// `ValueError: boom`.
    public var description: String { message.isEmpty ? type : "\(type): \(text)" }
}
