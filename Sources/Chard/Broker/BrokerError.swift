// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Why a broker could not do what it was asked.
public struct BrokerError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it was: an open set.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String
        /// Makes a code of one's own, for brokers outside this package.
        public init(_ name: String) { description = name }

        /// The server cannot be reached or did not answer in time. Trying again may help.
        public static let unavailable = Code("unavailable")
        /// The server answered that it cannot do this now: it is loading, full or read-only. Trying again may help.
        public static let refused = Code("refused")
        /// The server refused the credentials or the right to do this.
        public static let unauthorized = Code("unauthorized")
        /// The URL, or an option, makes no sense.
        public static let misconfigured = Code("misconfigured")
        /// The consumer's lease is gone or in doubt.
        public static let leaseLost = Code("leaseLost")
        /// What the server holds or answers is not what it should be.
        public static let damaged = Code("damaged")
        /// The server takes nothing of this size.
        public static let tooLarge = Code("tooLarge")
        /// The broker was shut down.
        public static let closed = Code("closed")
    }

    /// What kind of trouble it was.
    public var code: Code
    /// What happened and, where that is known, what to do about it. Never holds a secret.
    public var message: String
    /// The error behind this one.
    public var underlying: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    /// Whether the same call may succeed later with nothing changed here.
    public var isRetryable: Bool { code == .unavailable || code == .refused }

    /// Whether the server refuses what it was asked, while it can be asked other things.
    var isRefusal: Bool { [.unauthorized, .damaged, .tooLarge].contains(code) }

    /// The message.
    public var description: String { message }
}
