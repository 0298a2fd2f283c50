// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Why a text is not JSON, or not JSON that we take.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of trouble; more may be added.
    public struct Code: Sendable, Hashable {
        let name: String

        /// The text breaks JSON's grammar, or is not UTF-8.
        public static let malformed = Code(name: "malformed")
        /// Arrays and objects are nested deeper than ``JSONLimits/depth``.
        public static let tooDeep = Code(name: "tooDeep")
        /// The text is longer than ``JSONLimits/bytes``.
        public static let tooLarge = Code(name: "tooLarge")
    }

    /// The kind of trouble.
    public let code: Code
    /// Where in the text, counted in bytes from its start.
    public let offset: Int
    /// What should have stood there.
    public let expected: String

    /// What was expected, and where.
    public var description: String { "expected \(expected) at byte \(offset)" }
}

/// How much JSON is taken from others.
public struct JSONLimits: Sendable, Hashable {
    /// How deep arrays and objects may be nested. Reading recurses, so a few thousand is what a thread's stack allows.
    public var depth: Int
    /// How long a text may be, in bytes.
    public var bytes: Int

    /// Limits other than the usual.
    public init(depth: Int = 256, bytes: Int = 64 << 20) {
        self.depth = depth
        self.bytes = bytes
    }

    /// 256 levels, 64 MiB.
    public static let `default` = JSONLimits()

    /// For what somebody has let in before, by whatever limits: any length, and as deep as every thread's stack allows.
    static let held = JSONLimits(depth: 1_024, bytes: .max)
}
