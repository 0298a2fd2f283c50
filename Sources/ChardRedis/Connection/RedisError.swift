// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What went wrong between this program and a Redis server.
///
/// The ``code`` says what kind of trouble it is, ``isRetryable`` whether waiting may cure it. No message ever holds a
/// password. The value is one reference wide, so that replies that may be errors stay small.
public struct RedisError: Error, Sendable {
    private final class Storage: Sendable {
        let code: Code
        let message: String
        let command: String?
        let key: String?
        let underlying: (any Error)?

        init(code: Code, message: String, command: String?, key: String?, underlying: (any Error)?) {
            self.code = code
            self.message = message
            self.command = command
            self.key = key
            self.underlying = underlying
        }
    }

    private let storage: Storage

    /// Makes an error; `command` and `key` name what was being done when it happened.
    public init(
        code: Code, message: String, command: String? = nil, key: String? = nil, underlying: (any Error)? = nil
    ) {
        storage = Storage(code: code, message: message, command: command, key: key, underlying: underlying)
    }

    /// The kind of trouble.
    public var code: Code { storage.code }

    /// What happened and, where something can be done about it, what to do.
    public var message: String { storage.message }

    /// The name of the command that failed, if the error belongs to one.
    public var command: String? { storage.command }

    /// The key that the failed command named first, if it named one.
    public var key: String? { storage.key }

    /// The error that caused this one: a system call's, a TLS library's, or the last failed attempt to connect.
    public var underlying: (any Error)? { storage.underlying }

    /// Whether the same command may succeed later with nothing changed in this program.
    ///
    /// A lost connection is retryable, and the lost command may all the same have been carried out.
    public var isRetryable: Bool { code.isRetryable }

    /// The same error, naming the command that it belongs to.
    func naming(_ command: RedisCommand) -> RedisError {
        RedisError(code: code, message: message, command: command.name, key: command.key, underlying: underlying)
    }
}

extension RedisError: CustomStringConvertible {
    /// The message, the command with its key, and the code.
    public var description: String {
        guard let command else { return "\(message) [\(code)]" }
        guard let key else { return "\(command): \(message) [\(code)]" }
        return "\(command) \(key): \(message) [\(code)]"
    }
}
