// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is asked of workers by Celery's remote control: a method with its arguments, of all workers or of some.
package struct ControlRequest: Sendable, Hashable {
    /// Where an answer goes.
    package struct ReplyPlace: Sendable, Hashable {
        package var exchange: String
        package var routingKey: String
        /// Tells the caller which of its questions it is.
        package var ticket: String?

        package init(exchange: String, routingKey: String, ticket: String?) {
            self.exchange = exchange
            self.routingKey = routingKey
            self.ticket = ticket
        }
    }

    package var method: String
    package var arguments: [String: JSON]
    package var workers: WorkerChoice
    /// Where the answers go; `nil` where none are wanted.
    package var replyTo: ReplyPlace?
    /// The caller's logical clock.
    package var clock = 0
    /// Whether what it asks for was written into the broker already, so that only workers which do not look there need it.
    package var isOrdered = false

    private static let orderedHeader = "chard_ordered"
    /// The exchange that requests are sent to.
    package static let exchange = "celery.pidbox"
    /// The exchange that answers are sent to.
    package static let replyExchange = "reply.celery.pidbox"

    package init(
        _ method: String, _ arguments: [String: JSON] = [:], of workers: WorkerChoice = .all,
        replyTo: ReplyPlace? = nil
    ) {
        self.method = method
        self.arguments = arguments
        self.workers = workers
        self.replyTo = replyTo
    }

    /// Reads a request.
    package init(decoding payload: [UInt8]) throws(MailboxError) {
        let message = try KombuMessage(decoding: payload)
        let body = message.body
        guard let method = body["method"]?.string else { throw MailboxError("the request names no method") }
        switch body["arguments"] {
        case .object(let members): arguments = members
        case .null, nil: arguments = [:]
        default: throw MailboxError("the arguments of \(method.limited) are no object")
        }
        self.method = method
        workers = try WorkerChoice(body)
        if let place = body["reply_to"], !place.isNull {
            guard let exchange = place["exchange"]?.string, let routingKey = place["routing_key"]?.string,
                exchange.hasPrefix("reply."), exchange.hasSuffix(".pidbox"), !routingKey.isEmpty
            else { throw MailboxError("the answer to \(method.limited) has no place to go to") }
            replyTo = ReplyPlace(exchange: exchange, routingKey: routingKey, ticket: body["ticket"]?.string)
        }
        clock = max(0, message.headers["clock"]?.integer ?? 0)
        isOrdered = message.headers[Self.orderedHeader]?.bool ?? false
    }

    /// The message by which workers are asked.
    /// - Parameter expires: When the caller waits no longer, in seconds since 1970.
    package func encoded(expires: Double) -> [UInt8] {
        var body: JSON = [
            "method": .string(method), "arguments": .object(arguments), "destination": nil, "pattern": nil,
            "matcher": nil,
        ]
        switch workers {
        case .all: break
        case .nodes(let nodes): body["destination"] = .array(nodes.map(JSON.string))
        case .matching(let pattern, let matcher):
            body["pattern"] = .string(pattern)
            body["matcher"] = .string(matcher.rawValue)
        }
        if let replyTo {
            body["ticket"] = replyTo.ticket.map(JSON.string) ?? nil
            body["reply_to"] = [
                "exchange": .string(replyTo.exchange), "routing_key": .string(replyTo.routingKey),
            ]
        }
        var headers: JSON = ["clock": .integer(clock), "expires": .number(expires)]
        if isOrdered { headers[Self.orderedHeader] = true }
        return KombuMessage.encode(body.encoded(), headers: headers, exchange: Self.exchange, routingKey: "")
    }
}
