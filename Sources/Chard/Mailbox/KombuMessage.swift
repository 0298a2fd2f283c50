// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What kombu sends besides tasks: a JSON body in its envelope, as remote control and events travel.
package struct KombuMessage: Sendable {
    /// The headers.
    package var headers: [String: JSON] = [:]
    /// The body.
    package var body: JSON

    /// What is larger than this is nobody's question or answer.
    package static let limits = JSONLimits(depth: 64, bytes: 16 << 20)

    /// Reads a message.
    /// - Throws: ``MailboxError`` where it is none, or not of JSON.
    package init(decoding payload: [UInt8]) throws(MailboxError) {
        let envelope = try Self.parse(payload, "the message")
        guard let text = envelope["body"]?.string else { throw MailboxError("the message has no body") }
        if let type = envelope["content-type"]?.string, type != "application/json" {
            throw MailboxError("its content is \(type.limited), not application/json")
        }
        headers = envelope["headers"]?.object ?? [:]
        if envelope["properties"]?["body_encoding"]?.string == "base64" {
            guard let bytes = Base64.decodeLeniently(text.utf8) else { throw MailboxError("its body is not base64") }
            body = try Self.parse(bytes, "its body")
        } else {
            body = try Self.parse(Array(text.utf8), "its body")
        }
    }

    private static func parse(_ bytes: [UInt8], _ what: String) throws(MailboxError) -> JSON {
        do {
            return try JSON(parsing: bytes, limits: limits)
        } catch {
            throw MailboxError("\(what) is not JSON: \(error)")
        }
    }

    /// The envelope around a body that is JSON text already.
    package static func encode(
        _ body: [UInt8], headers: JSON, exchange: String, routingKey: String
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: body.count * 4 / 3 + 512)
        writer.raw(#"{"body":""#)
        Base64.append(body, to: &writer.bytes)
        writer.raw(#"","content-encoding":"utf-8","content-type":"application/json","headers":"#)
        writer.value(headers)
        writer.raw(#","properties":{"delivery_mode":1,"delivery_info":{"exchange":"#)
        writer.string(exchange)
        writer.raw(#","routing_key":"#)
        writer.string(routingKey)
        writer.raw(#"},"priority":0,"body_encoding":"base64","delivery_tag":"#)
        writer.string(DeliveryTag.next())
        writer.raw("}}")
        return writer.bytes
    }
}

/// A message of remote control or an event that cannot be read.
package struct MailboxError: Error, CustomStringConvertible {
    /// What is wrong with it.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
