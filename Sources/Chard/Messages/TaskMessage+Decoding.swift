// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension TaskMessage {
    /// Reads a message of protocol 2, or of protocol 1, which becomes the same.
    ///
    /// Only what no worker could do without is asked for: a task's name, an id, a body of type `application/json`.
    /// Headers and properties that are missing or of a wrong kind count as absent. The body is not looked into, except
    /// for protocol 1; ``decodeBody(limits:)`` does that.
    public init(decoding payload: [UInt8], limits: MessageLimits = .default) throws(MessageError) {
        self.init()
        try EnvelopeReader.fill(&self, from: payload, limits: limits)
    }

    /// A message of which nothing is known yet.
    fileprivate init() {
        self.init(task: "", id: "", body: TaskMessage.Body(storage: .text([], isBase64: true)))
    }
}

/// Goes through the envelope once and fills the message as it comes along.
struct EnvelopeReader {
    private let payload: [UInt8]
    private var message = TaskMessage()
    private var bodyToken: Range<Int>?
    private var contentType: String?
    private var contentEncoding: String?
    private var bodyEncoding: String?
    private var idToken: StringToken?
    private var badDate: MessageError?

    private init(_ payload: [UInt8]) { self.payload = payload }

    /// Reads `payload` and puts the message in the place of one that is blank: to copy a message takes a reference to each of
    /// its texts.
    static func fill(
        _ message: inout TaskMessage, from payload: [UInt8], limits: MessageLimits
    ) throws(MessageError) {
        var reader = EnvelopeReader(payload)
        do {
            try reader.read(limits)
            swap(&message, &reader.message)
        } catch {
            var error = error
            if error.partialID == nil {
                let identity = MessageIdentity(payload)
                error.partialID = identity.id
                error.partialTask = error.partialTask ?? identity.task
            }
            throw error
        }
    }

    private mutating func read(_ limits: MessageLimits) throws(MessageError) {
        do {
            try JSONScanner.read(payload[...], limits: limits.message) { (scanner) throws(JSONError) in
                try readEnvelope(&scanner)
            }
        } catch {
            throw MessageError(error, part: "the message", code: .malformed)
        }
        try finish(limits)
    }

    private mutating func readEnvelope(_ scanner: inout JSONScanner) throws(JSONError) {
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if scanner.matches(key, "body") {
                let range = try scanner.valueRange()
                bodyToken = payload[range.lowerBound] == UInt8(ascii: "\"") ? range : nil
            } else if scanner.matches(key, "headers") {
                guard scanner.next() == UInt8(ascii: "{") else {
                    try scanner.skipValue()
                    continue
                }
                try scanner.beginObject()
                while let name = try scanner.nextKey() { try readHeader(name, &scanner) }
            } else if scanner.matches(key, "properties") {
                guard scanner.next() == UInt8(ascii: "{") else {
                    try scanner.skipValue()
                    continue
                }
                try scanner.beginObject()
                while let name = try scanner.nextKey() { try readProperty(name, &scanner) }
            } else if scanner.matches(key, "content-type") {
                contentType = try readContentType(&scanner)
            } else if scanner.matches(key, "content-encoding") {
                contentEncoding = try scanner.stringIfAny()
            } else {
                try scanner.skipValue()
            }
        }
        try scanner.finish()
    }

    private mutating func readHeader(_ name: StringToken, _ scanner: inout JSONScanner) throws(JSONError) {
        guard let key = HeaderKey(scanner.buffer(name)) else {
            message.headers[scanner.string(name)] = try scanner.value()
            return
        }
        switch key {
        case .task: message.task = try scanner.stringIfAny() ?? ""
        case .id:
            guard scanner.next() == UInt8(ascii: "\"") else {
                message.id = ""
                try scanner.skipValue()
                return
            }
            let token = try scanner.scanString()
            message.id = scanner.string(token)
            idToken = token
        case .language: message.language = try scanner.stringIfAny()
        case .shadow: message.shadow = try scanner.stringIfAny()
        case .eta: message.eta = try readDate("eta", &scanner)
        case .expires: message.expires = try readDate("expires", &scanner)
        case .group: message.group = try scanner.stringIfAny()
        case .groupIndex: message.groupIndex = try scanner.integerIfAny()
        case .retries: message.retries = try scanner.countIfAny()
        case .timeLimits: message.timeLimits = try scanner.timeLimitsIfAny()
        case .rootID: message.rootID = try readID(&scanner)
        case .parentID: message.parentID = try readID(&scanner)
        case .argumentsText: message.argumentsText = try scanner.stringIfAny()
        case .keywordsText: message.keywordsText = try scanner.stringIfAny()
        case .origin: message.origin = try scanner.stringIfAny()
        case .ignoresResult: message.ignoresResult = try scanner.boolIfAny()
        case .replacedTaskNesting: message.replacedTaskNesting = try scanner.integerIfAny() ?? 0
        case .stampedHeaders: message.stampedHeaders = try scanner.stringsIfAny()
        case .stamps: message.stamps = try scanner.membersIfAny()
        case .compression: message.compression = try scanner.stringIfAny()
        case .redelivered: if try scanner.boolIfAny() == true { message.isRedelivered = true }
        case .losses: message.losses = try scanner.countIfAny()
        }
    }

    private mutating func readProperty(_ name: StringToken, _ scanner: inout JSONScanner) throws(JSONError) {
        guard let key = PropertyKey(scanner.buffer(name)) else {
            message.properties.extra[scanner.string(name)] = try scanner.value()
            return
        }
        switch key {
        case .correlationID: message.properties.correlationID = try readID(&scanner)
        case .replyTo: message.properties.replyTo = try scanner.stringIfAny()
        case .deliveryMode: message.properties.deliveryMode = try scanner.integerIfAny()
        case .expiration: message.properties.expiration = try scanner.stringIfAny()
        case .priority: message.properties.priority = try scanner.integerIfAny() ?? 0
        case .bodyEncoding: bodyEncoding = try scanner.stringIfAny()
        case .timestamp: message.properties.timestamp = try scanner.integerIfAny()
        case .timestampInMilliseconds: message.properties.timestampInMilliseconds = try scanner.integerIfAny()
        case .deliveryTag: message.properties.deliveryTag = try scanner.stringIfAny() ?? ""
        case .deliveryInfo:
            guard scanner.next() == UInt8(ascii: "{") else { return try scanner.skipValue() }
            try scanner.beginObject()
            while let name = try scanner.nextKey() {
                if scanner.matches(name, "exchange") {
                    message.properties.exchange = try scanner.stringIfAny() ?? ""
                } else if scanner.matches(name, "routing_key") {
                    message.properties.routingKey = try scanner.stringIfAny() ?? ""
                } else if scanner.matches(name, "redelivered") {
                    if try scanner.boolIfAny() == true { message.isRedelivered = true }
                } else {
                    message.properties.deliveryInfo[scanner.string(name)] = try scanner.value()
                }
            }
        }
    }

    private func readContentType(_ scanner: inout JSONScanner) throws(JSONError) -> String? {
        guard scanner.next() == UInt8(ascii: "\"") else {
            try scanner.skipValue()
            return nil
        }
        let token = try scanner.scanString()
        // What it nearly always is, as a literal, which takes no memory of its own.
        return scanner.matches(token, "application/json") ? "application/json" : scanner.string(token)
    }

    /// An id, which often is the task's own again: then the text is shared.
    private func readID(_ scanner: inout JSONScanner) throws(JSONError) -> String? {
        guard scanner.next() == UInt8(ascii: "\"") else {
            try scanner.skipValue()
            return nil
        }
        let token = try scanner.scanString()
        if let idToken, scanner.equal(token, idToken) { return message.id }
        return scanner.string(token)
    }

    private mutating func readDate(_ name: String, _ scanner: inout JSONScanner) throws(JSONError) -> Date? {
        if try scanner.takeNull() { return nil }
        guard scanner.next() == UInt8(ascii: "\"") else {
            badDate = MessageError(badDate: try scanner.value(), in: "header", name)
            return nil
        }
        let token = try scanner.scanString()
        if token.count == 0 { return nil }
        let date =
            token.hasEscapes ? Timestamp.date(from: scanner.string(token)) : Timestamp.date(from: scanner.buffer(token))
        if date == nil { badDate = MessageError(badDate: .string(scanner.string(token)), in: "header", name) }
        return date
    }

    /// Checks what the message has to have, now that all of it is known.
    private mutating func finish(_ limits: MessageLimits) throws(MessageError) {
        let partialID = message.id.isEmpty ? nil : message.id
        let partialTask = message.task.isEmpty ? nil : message.task
        func failure(_ code: MessageError.Code, _ text: String) -> MessageError {
            MessageError(code, text, partialID: partialID, partialTask: partialTask)
        }
        switch contentType {
        case "application/json": break
        case let type?:
            let media = MediaType(type)
            guard media.name == "application/json" else {
                throw failure(
                    .unsupportedContentType, "the content type is \(type.limited), expected application/json")
            }
            if let charset = media.charset, !Self.knownEncodings.contains(charset) {
                throw failure(
                    .unsupportedEncoding, "the content type's charset is \(charset.limited), expected utf-8")
            }
        case nil: throw failure(.unsupportedContentType, "there is no content type, expected application/json")
        }
        if let encoding = contentEncoding?.inLowerCase, !Self.knownEncodings.contains(encoding) {
            throw failure(.unsupportedEncoding, "the content encoding is \(encoding.limited), expected utf-8")
        }
        guard let bodyToken else { throw failure(.badBody, "the message has no body, expected a string") }
        let token = payload[bodyToken]
        switch bodyEncoding?.inLowerCase {
        case "base64": message.body = TaskMessage.Body(storage: .token(token, isBase64: true))
        case nil, "utf-8", "utf8": message.body = TaskMessage.Body(storage: .token(token, isBase64: false))
        case let encoding?:
            throw failure(.unsupportedEncoding, "the body encoding is \(encoding.limited), expected base64")
        }
        if message.task.isEmpty {
            message = try message.fromProtocolOne(limits: limits)
            return
        }
        if message.id.isEmpty {
            throw failure(.missingID, "the message for the task \(message.task.limited) has no id")
        }
        if let badDate { throw failure(badDate.code, badDate.message) }
        message.source = payload
    }

    /// In all of them JSON's ASCII is what it is; an empty text says nothing.
    private static let knownEncodings: Set = ["", "utf-8", "utf8", "utf_8", "us-ascii", "ascii", "binary"]
}

extension MessageError {
    /// `eta` or `expires` is no time: says what was found, and where that can be known, how it is written.
    init(badDate value: JSON, in place: String, _ name: String) {
        let seconds = value.number ?? value.string.flatMap { $0.utf8.count >= 9 ? Double($0) : nil }
        guard let seconds, abs(seconds) >= 1e8 else {
            self.init(
                .badDate,
                "the \(place) \(name) is \("\(value)".limited), not an ISO-8601 time such as 2026-11-21T20:31:53+00:00")
            return
        }
        // What is beyond the year 5138 in seconds is this century in milliseconds.
        let isMilliseconds = abs(seconds) >= 1e11
        let date = Date(timeIntervalSince1970: isMilliseconds ? seconds / 1000 : seconds)
        self.init(
            .badDate,
            "the \(place) \(name) is the number \(value.string ?? "\(value)"), and numbers are no dates in Celery's protocol: "
                + "\(isMilliseconds ? "milliseconds" : "seconds") since 1970 are written \(Timestamp.text(for: date))")
    }
}

extension String {
    /// Short enough to stand in an error.
    var limited: String { utf8.count <= 100 ? self : prefix(100) + "..." }
}

extension String {
    /// In lower case, as names of encodings nearly always are.
    fileprivate var inLowerCase: String {
        utf8.contains { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 } ? lowercased() : self
    }
}

extension TaskMessage {
    /// A count that others wrote, such that adding to it cannot overflow.
    static func count(_ number: Int?) -> Int { min(max(number ?? 0, 0), Int(Int32.max)) }
}

/// Values of a given kind; what is of another kind is passed over and counts as absent.
extension JSONScanner {
    func buffer(_ token: StringToken) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base + token.start, count: token.count)
    }

    func equal(_ left: StringToken, _ right: StringToken) -> Bool {
        left.count == right.count && (base + left.start).hasSameBytes(as: base + right.start, count: left.count)
    }

    @inline(__always)
    mutating func stringIfAny() throws(JSONError) -> String? {
        guard next() == UInt8(ascii: "\"") else {
            try skipValue()
            return nil
        }
        return string(try scanString())
    }

    mutating func integerIfAny() throws(JSONError) -> Int? {
        guard case let byte = next(), byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 else {
            try skipValue()
            return nil
        }
        guard case .integer(let value) = try scanNumber() else { return nil }
        return value
    }

    mutating func countIfAny() throws(JSONError) -> Int {
        TaskMessage.count(try integerIfAny())
    }

    mutating func boolIfAny() throws(JSONError) -> Bool? {
        switch next() {
        case UInt8(ascii: "t"):
            try word("true")
            return true
        case UInt8(ascii: "f"):
            try word("false")
            return false
        default:
            try skipValue()
            return nil
        }
    }

    mutating func stringsIfAny() throws(JSONError) -> [String]? {
        try value().array?.compactMap(\.string)
    }

    mutating func membersIfAny() throws(JSONError) -> [String: JSON] {
        try value().object ?? [:]
    }

    /// `[hard, soft]`; a list of one is the hard limit alone.
    mutating func timeLimitsIfAny() throws(JSONError) -> TaskMessage.TimeLimits {
        guard next() == UInt8(ascii: "[") else {
            try skipValue()
            return TaskMessage.TimeLimits()
        }
        var limits = TaskMessage.TimeLimits()
        var index = 0
        try beginArray()
        while try nextElement() {
            let limit = try takeNull() ? nil : value().number
            if index == 0 { limits.hard = limit } else if index == 1 { limits.soft = limit }
            index += 1
        }
        return limits
    }
}
