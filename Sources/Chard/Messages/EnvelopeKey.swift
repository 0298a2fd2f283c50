// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The keys of one object of a message that we give a meaning to.
protocol EnvelopeKey: CaseIterable, Sendable, Equatable {
    /// The key of that name, if it is one of these.
    init?(_ name: UnsafeBufferPointer<UInt8>)

    /// Appends the member, key and value; nothing if the message does not have it.
    func write(_ message: TaskMessage, to writer: inout JSONWriter)
}

extension EnvelopeKey {
    @inline(__always)
    static func equal(_ name: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
        name.baseAddress?.hasSameBytes(as: text.utf8Start, count: name.count) ?? true
    }

    init?(_ name: String) {
        var name = name
        guard let key = name.withUTF8({ Self($0) }) else { return nil }
        self = key
    }

    /// The member alone, to compare two messages by.
    func text(_ message: TaskMessage) -> [UInt8] {
        var writer = JSONWriter()
        write(message, to: &writer)
        return writer.bytes
    }
}

/// The headers that Celery gives a meaning to, and ours.
enum HeaderKey: EnvelopeKey {
    case language, task, id, shadow, eta, expires, group, groupIndex, retries, timeLimits, rootID, parentID
    case argumentsText, keywordsText, origin, ignoresResult, replacedTaskNesting, stampedHeaders, stamps
    case compression, redelivered, losses

    static let all = Array(allCases)

    /// By length first: one comparison decides nearly always.
    init?(_ name: UnsafeBufferPointer<UInt8>) {
        switch name.count {
        case 2 where Self.equal(name, "id"): self = .id
        case 3 where Self.equal(name, "eta"): self = .eta
        case 4 where Self.equal(name, "task"): self = .task
        case 4 where Self.equal(name, "lang"): self = .language
        case 5 where Self.equal(name, "group"): self = .group
        case 6 where Self.equal(name, "shadow"): self = .shadow
        case 6 where Self.equal(name, "origin"): self = .origin
        case 6 where Self.equal(name, "stamps"): self = .stamps
        case 7 where Self.equal(name, "root_id"): self = .rootID
        case 7 where Self.equal(name, "retries"): self = .retries
        case 7 where Self.equal(name, "expires"): self = .expires
        case 8 where Self.equal(name, "argsrepr"): self = .argumentsText
        case 9 where Self.equal(name, "parent_id"): self = .parentID
        case 9 where Self.equal(name, "timelimit"): self = .timeLimits
        case 10 where Self.equal(name, "kwargsrepr"): self = .keywordsText
        case 11 where Self.equal(name, "group_index"): self = .groupIndex
        case 11 where Self.equal(name, "compression"): self = .compression
        case 11 where Self.equal(name, "redelivered"): self = .redelivered
        case 12 where Self.equal(name, "chard_losses"): self = .losses
        case 13 where Self.equal(name, "ignore_result"): self = .ignoresResult
        case 15 where Self.equal(name, "stamped_headers"): self = .stampedHeaders
        case 21 where Self.equal(name, "replaced_task_nesting"): self = .replacedTaskNesting
        default: return nil
        }
    }

    func write(_ message: TaskMessage, to writer: inout JSONWriter) {
        switch self {
        case .language: writer.member(#""lang":"#, message.language)
        case .task: writer.member(#""task":"#, message.task)
        case .id: writer.member(#""id":"#, message.id)
        case .shadow: writer.member(#""shadow":"#, message.shadow)
        case .eta: writer.member(#""eta":"#, message.eta)
        case .expires: writer.member(#""expires":"#, message.expires)
        case .group: writer.member(#""group":"#, message.group)
        case .groupIndex: writer.member(#""group_index":"#, message.groupIndex)
        case .retries: writer.member(#""retries":"#, message.retries, unless: 0)
        case .timeLimits: writeTimeLimits(message.timeLimits, to: &writer)
        case .rootID: writer.member(#""root_id":"#, message.rootID)
        case .parentID: writer.member(#""parent_id":"#, message.parentID)
        case .argumentsText: writer.member(#""argsrepr":"#, message.argumentsText)
        case .keywordsText: writer.member(#""kwargsrepr":"#, message.keywordsText)
        case .origin: writer.member(#""origin":"#, message.origin)
        case .ignoresResult: writer.member(#""ignore_result":"#, message.ignoresResult)
        case .replacedTaskNesting: writer.member(#""replaced_task_nesting":"#, message.replacedTaskNesting, unless: 0)
        case .stampedHeaders:
            guard let names = message.stampedHeaders else { return }
            writer.key(#""stamped_headers":"#)
            writer.value(.array(names.map(JSON.string)))
        case .stamps:
            guard !message.stamps.isEmpty else { return }
            writer.key(#""stamps":"#)
            writer.value(.object(message.stamps))
        case .compression: writer.member(#""compression":"#, message.body.isText ? nil : message.compression)
        case .redelivered: writer.member(#""redelivered":"#, message.isRedelivered ? true : nil)
        case .losses: writer.member(#""chard_losses":"#, message.losses, unless: 0)
        }
    }

    private func writeTimeLimits(_ limits: TaskMessage.TimeLimits, to writer: inout JSONWriter) {
        guard limits.hard != nil || limits.soft != nil else { return }
        writer.key(#""timelimit":["#)
        writer.seconds(limits.hard)
        writer.raw(",")
        writer.seconds(limits.soft)
        writer.raw("]")
    }
}

/// The properties that kombu gives a meaning to.
enum PropertyKey: EnvelopeKey {
    case correlationID, replyTo, deliveryMode, expiration, deliveryInfo, priority, bodyEncoding, deliveryTag, timestamp
    case timestampInMilliseconds

    static let all = Array(allCases)

    init?(_ name: UnsafeBufferPointer<UInt8>) {
        switch name.count {
        case 8 where Self.equal(name, "reply_to"): self = .replyTo
        case 8 where Self.equal(name, "priority"): self = .priority
        case 9 where Self.equal(name, "timestamp"): self = .timestamp
        case 10 where Self.equal(name, "expiration"): self = .expiration
        case 12 where Self.equal(name, "delivery_tag"): self = .deliveryTag
        case 13 where Self.equal(name, "delivery_mode"): self = .deliveryMode
        case 13 where Self.equal(name, "delivery_info"): self = .deliveryInfo
        case 13 where Self.equal(name, "body_encoding"): self = .bodyEncoding
        case 14 where Self.equal(name, "correlation_id"): self = .correlationID
        case 15 where Self.equal(name, "timestamp_in_ms"): self = .timestampInMilliseconds
        default: return nil
        }
    }

    func write(_ message: TaskMessage, to writer: inout JSONWriter) {
        let properties = message.properties
        switch self {
        case .correlationID: writer.member(#""correlation_id":"#, properties.correlationID)
        case .replyTo: writer.member(#""reply_to":"#, properties.replyTo)
        case .deliveryMode: writer.member(#""delivery_mode":"#, properties.deliveryMode)
        case .expiration: writer.member(#""expiration":"#, properties.expiration)
        case .deliveryInfo:
            writer.key(#""delivery_info":{"#)
            writer.member(#""exchange":"#, properties.exchange)
            writer.member(#""routing_key":"#, properties.routingKey)
            if message.isRedelivered { writer.key(#""redelivered":true"#) }
            for (name, value) in properties.deliveryInfo.sorted(by: { $0.key < $1.key })
            where !["exchange", "routing_key", "redelivered"].contains(name) {
                writer.name(name)
                writer.value(value)
            }
            writer.raw("}")
        case .priority: writer.member(#""priority":"#, properties.priority)
        case .bodyEncoding: if message.body.isBase64 { writer.key(#""body_encoding":"base64""#) }
        case .deliveryTag: writer.member(#""delivery_tag":"#, properties.deliveryTag)
        case .timestamp: writer.member(#""timestamp":"#, properties.timestamp)
        case .timestampInMilliseconds:
            writer.member(#""timestamp_in_ms":"#, properties.timestampInMilliseconds)
        }
    }
}

extension TaskMessage.Body {
    var isText: Bool {
        if case .text = storage { true } else { false }
    }

    /// Whether the body is written as base64.
    var isBase64: Bool {
        switch storage {
        case .text(_, let isBase64), .token(_, let isBase64): isBase64
        }
    }
}
