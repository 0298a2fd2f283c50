// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What travels: one task to run, as it lies on a queue.
///
/// A message that was decoded keeps its original text. Whatever is not changed is written back byte for byte, also what
/// we do not know: other people's headers, the exact form of a time, nulls. The body stays encoded until
/// ``decodeBody(limits:)``, so that sending a message on costs nothing for its arguments.
public struct TaskMessage: Sendable {
    /// The name that workers look the task up by.
    public var task: String
    /// The id of the task: the key of its result. Any text that is not empty.
    public var id: String
    /// The language of the sender: `swift`, `py`. Nobody checks it.
    public var language: String?
    /// A name to show instead of ``task``.
    public var shadow: String?
    /// Not to be run before this.
    public var eta: Date?
    /// Not to be started after this.
    public var expires: Date?
    /// The id of the group or chord that the task is part of.
    public var group: String?
    /// The place in the group.
    public var groupIndex: Int?
    /// How often the task was tried before.
    public var retries = 0
    /// How long the task may run.
    public var timeLimits = TimeLimits()
    /// The id of the first task of the workflow.
    public var rootID: String?
    /// The id of the task that sent this one.
    public var parentID: String?
    /// The positional arguments for people to read (`argsrepr`); need not be true or complete.
    public var argumentsText: String?
    /// The keyword arguments for people to read (`kwargsrepr`); need not be true or complete.
    public var keywordsText: String?
    /// The sender, by custom `<process>@<host>`.
    public var origin: String?
    /// Whether to store no result; nil leaves it to the task's own setting.
    public var ignoresResult: Bool?
    /// How often the task replaced itself by another.
    public var replacedTaskNesting = 0
    /// The names of the stamps.
    public var stampedHeaders: [String]?
    /// The stamps: marks that Celery lets tasks be revoked by.
    public var stamps: [String: JSON] = [:]
    /// Whether the message was given out before and came back.
    public var isRedelivered = false
    /// How many workers were lost while they held this message.
    public var losses = 0
    /// All other headers, those of users among them. Names that Celery gives a meaning to are not written from here.
    public var headers: [String: JSON] = [:]
    /// Whether a message with an ``eta`` to come goes to its queue at once, for its worker to hold, rather than wait in the
    /// broker; `nil` where that depends on who serves the queue. Said to the broker alone: it does not travel.
    public var workerHoldsETA: Bool?
    /// What concerns the delivery and not the task.
    public var properties = Properties()
    /// The arguments and what follows the task, still encoded.
    public var body: Body
    /// How the body is compressed, as a MIME type; nil if it is not.
    public internal(set) var compression: String?

    /// The text this message was decoded from.
    var source: [UInt8]?

    /// A task to be sent to the queue `queue`, with all that a Celery worker needs.
    ///
    /// The texts for people, ``argumentsText`` and ``keywordsText``, are made from `body`, unless they are not wished for.
    public init(
        task: String, id: String = TaskID.random(), body: MessageBody, queue: String, describesArguments: Bool = true
    ) {
        self.init(task: task, id: id, body: body, queue: queue, texts: ArgumentTexts(isShown: describesArguments))
    }

    /// The same, with texts that leave out what nobody is to read.
    init(
        task: String, id: String, body: MessageBody, queue: String, texts: ArgumentTexts, parameters: [Parameter] = []
    ) {
        self.init(task: task, id: id, body: Body(body))
        language = "swift"
        argumentsText = texts.positional(body, of: parameters)
        keywordsText = texts.keywords(body)
        properties.routingKey = queue
        properties.correlationID = id
        properties.replyTo = ""
        properties.deliveryMode = 2
        properties.deliveryTag = DeliveryTag.next()
    }

    init(task: String, id: String, body: Body) {
        self.task = task
        self.id = id
        self.body = body
    }
}

extension TaskMessage {
    /// How long a task may run, in seconds.
    public struct TimeLimits: Sendable, Hashable {
        /// After this the task is ended by force.
        public var hard: Double?
        /// After this the task is asked to stop.
        public var soft: Double?

        /// Limits in seconds; nil is none.
        public init(hard: Double? = nil, soft: Double? = nil) {
            self.hard = hard
            self.soft = soft
        }
    }

    /// When the task was sent for the first time, as exactly as the message says it; `nil` where it does not, as Python's.
    public var sentAt: Date? {
        if let time = properties.timestampInMilliseconds { return Date(timeIntervalSince1970: Double(time) / 1000) }
        return properties.timestamp.map { Date(timeIntervalSince1970: Double($0)) }
    }

    /// Notes that it is sent now.
    mutating func noteSent(at now: Date) {
        // A time such as 0.123 s is held as a little less than that, and must not be cut to 0.122.
        properties.timestampInMilliseconds = Int((now.timeIntervalSince1970 * 1000 + 0.001).rounded(.down))
    }

    /// What concerns the delivery and not the task.
    public struct Properties: Sendable, Hashable {
        /// Unique for each publication; Python workers keep the message under it. Empty if a message came without.
        public var deliveryTag = ""
        /// Empty for a queue addressed by its name.
        public var exchange = ""
        /// The queue's name, if ``exchange`` is empty.
        public var routingKey = ""
        /// By custom the id of the task.
        public var correlationID: String?
        /// The sending process, for Celery's rpc backend.
        public var replyTo: String?
        /// 2 is persistent; Redis takes no notice.
        public var deliveryMode: Int?
        /// 0 is served first.
        public var priority = 0
        /// Milliseconds, as text; Redis takes no notice.
        public var expiration: String?
        /// When the message was sent, in whole seconds since 1970, as Chard's clients said it before 0.3.
        public var timestamp: Int?
        /// The same in milliseconds (`timestamp_in_ms`, as RabbitMQ calls it), as they say it now; Python's senders say neither.
        public var timestampInMilliseconds: Int?
        /// All other properties. Names that kombu gives a meaning to, and both times, are not written from here.
        public var extra: [String: JSON] = [:]
        /// All other members of `delivery_info`.
        public var deliveryInfo: [String: JSON] = [:]

        /// Properties of a message that says nothing about its delivery.
        public init() {}
    }

    /// The body in whatever form it is at hand: encoded as it came, or as JSON text yet to be encoded.
    public struct Body: Sendable, Hashable {
        enum Storage: Hashable {
            case text([UInt8], isBase64: Bool)
            /// The string of the envelope, its quotes included.
            case token(ArraySlice<UInt8>, isBase64: Bool)
        }

        let storage: Storage

        init(storage: Storage) { self.storage = storage }

        /// The size of the body's text, where it is not encoded yet; 0 where it came as it is.
        var plainSize: Int {
            if case .text(let text, _) = storage { text.count } else { 0 }
        }

        /// How deep it is nested, where that is more than `limit` and it is not encoded yet.
        func depth(above limit: Int) -> Int? {
            if case .text(let text, _) = storage { JSONDepth.of(text, above: limit) } else { nil }
        }

        /// From this many bytes on a body may be sent as it is: `body_encoding` may be absent.
        static let leastPlain = 16_384

        /// A body to be sent: in base64, as Celery sends all, but a large one as text where that is shorter. A third more
        /// bytes is a third more of all that is done with them.
        public init(_ body: MessageBody) {
            let text = body.encoded()
            storage = .text(text, isBase64: text.count < Self.leastPlain || !Self.isShorterPlain(text))
        }

        /// Whether a text, its quotes and backslashes escaped, is shorter than in base64. One that is not ASCII stays as it is.
        private static func isShorterPlain(_ text: [UInt8]) -> Bool {
            var escapes = 0
            let isPlain = text.withUnsafeBufferPointer { text in
                guard let base = text.baseAddress else { return false }
                var index = 0
                while true {
                    if text.count - index >= 8 {
                        let passed = PlainText.plainBytes(base, index)
                        index += passed
                        guard passed < 8 else { continue }
                    }
                    guard index < text.count else { return true }
                    switch text[index] {
                    case UInt8(ascii: "\""), UInt8(ascii: "\\"): escapes += 1
                    case let byte: if !PlainText.contains(byte) { return false }
                    }
                    index += 1
                }
            }
            return isPlain && escapes < text.count / 3
        }
    }
}

extension TaskMessage {
    /// The message of the next attempt: same id, body, headers and place in the workflow, one retry more, a new
    /// delivery tag, no marks of redelivery or loss; not before `eta`, or at once.
    ///
    /// As in Celery, `parent_id` is the task's own id if it had no parent.
    public func retried(eta: Date?) -> TaskMessage {
        var next = self
        next.retries += 1
        next.eta = eta
        next.parentID = parentID ?? id
        next.properties.deliveryTag = DeliveryTag.next()
        next.isRedelivered = false
        next.losses = 0
        next.headers[LossSeal.header] = nil
        next.headers[MessageSignature.header] = nil
        return next
    }

    /// The message as it goes back to its queue after `losses` workers were lost with it.
    public func redelivered(losses: Int) -> TaskMessage {
        var next = self
        next.isRedelivered = true
        next.losses = losses
        return next
    }
}
