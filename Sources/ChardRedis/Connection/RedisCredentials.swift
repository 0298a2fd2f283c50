// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Who a connection says it is, and until when the server believes it. No description shows the password.
public struct RedisCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The user; nil for the server's default user.
    public var username: String?
    /// The password, or the token in its place.
    public var password: String
    /// When they lapse; nil if they do not.
    public var lapse: Date?

    /// Makes credentials.
    public init(username: String? = nil, password: String, lapse: Date? = nil) {
        self.username = username
        self.password = password
        self.lapse = lapse
    }

    /// Asterisks in place of user and password.
    public var description: String { "***" }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// A mirror that shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }

    var command: RedisCommand {
        if let username { RedisCommand("AUTH", username, password) } else { RedisCommand("AUTH", password) }
    }
}
