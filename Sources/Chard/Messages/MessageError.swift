// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Why a message cannot become a task.
///
/// Nobody can run such a message again and hope for better: it belongs in the dead letters, and where ``partialID`` is
/// known, a FAILURE belongs under that id.
public struct MessageError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of trouble; more may be added.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name of the code, as it is stored with dead letters.
        public let rawValue: String

        /// A code of any name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The message is not JSON, or not an object.
        public static let malformed = Code(rawValue: "malformed")
        /// The message or its body is longer than the limit.
        public static let tooLarge = Code(rawValue: "too-large")
        /// Arrays and objects are nested deeper than the limit.
        public static let tooDeep = Code(rawValue: "too-deep")
        /// No task is named, neither in the headers nor in the body.
        public static let notATask = Code(rawValue: "not-a-task")
        /// The task has no id.
        public static let missingID = Code(rawValue: "missing-id")
        /// The body is not `application/json`; pickle and yaml are never decoded.
        public static let unsupportedContentType = Code(rawValue: "unsupported-content-type")
        /// The body is in a character or transfer encoding we do not read.
        public static let unsupportedEncoding = Code(rawValue: "unsupported-encoding")
        /// The body is compressed in a way we do not read.
        public static let unsupportedCompression = Code(rawValue: "unsupported-compression")
        /// The body is not what a task's body should be.
        public static let badBody = Code(rawValue: "bad-body")
        /// `eta` or `expires` is not a time.
        public static let badDate = Code(rawValue: "bad-date")
        /// The message has no signature, where one is required.
        public static let unsigned = Code(rawValue: "unsigned")
        /// Its signature is wrong, or by a key that is not known.
        public static let badSignature = Code(rawValue: "bad-signature")
    }

    /// The kind of trouble.
    public let code: Code
    /// What was found and what was expected.
    public let message: String
    /// The task's id, if it could be read all the same.
    public var partialID: String?
    /// The task's name, if it could be read all the same.
    public var partialTask: String?

    /// An error with what could be read of the message.
    public init(_ code: Code, _ message: String, partialID: String? = nil, partialTask: String? = nil) {
        self.code = code
        self.message = message
        self.partialID = partialID
        self.partialTask = partialTask
    }

    /// The trouble of a text: what `part` is not, because of `error`.
    init(_ error: JSONError, part: String, code: Code) {
        switch error.code {
        case .tooDeep: self.init(.tooDeep, "\(part) is nested too deep: \(error)")
        case .tooLarge: self.init(.tooLarge, "\(part) is too large: \(error)")
        default: self.init(code, "\(part) is not JSON: \(error)")
        }
    }

    /// The trouble of a message that is too large to be read, of which only the beginning and the end are known.
    init(tooLarge size: Int, excerpt: [UInt8]) {
        let identity = MessageIdentity(excerpt)
        self.init(
            .tooLarge, "the message is too large: \(size) bytes", partialID: identity.id, partialTask: identity.task)
    }

    /// Code and message.
    public var description: String { "\(code.rawValue): \(message)" }
}

/// How much of others' messages is taken.
public struct MessageLimits: Sendable, Hashable {
    /// How long a message may be as it lies on the queue, in bytes.
    public var messageBytes: Int
    /// How long a body may be once decoded and decompressed, in bytes.
    public var bodyBytes: Int
    /// How deep arrays and objects may be nested.
    public var depth: Int

    /// Limits other than the usual.
    public init(messageBytes: Int = 64 << 20, bodyBytes: Int = 64 << 20, depth: Int = 256) {
        self.messageBytes = messageBytes
        self.bodyBytes = bodyBytes
        self.depth = depth
    }

    /// 64 MiB for message and body, 256 levels.
    public static let `default` = MessageLimits()

    /// For what somebody has let in before, by whatever limits: any length, and as deep as every thread's stack allows.
    package static let held = MessageLimits(messageBytes: .max, bodyBytes: .max, depth: JSONLimits.held.depth)

    var message: JSONLimits { JSONLimits(depth: depth, bytes: messageBytes) }
    var body: JSONLimits { JSONLimits(depth: depth, bytes: bodyBytes) }
}
