// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// What the decoder says of a dead letter's message today, and where it stumbles.
enum LetterPlace {
    static func document(_ payload: [UInt8], _ limits: MessageLimits) -> JSON {
        var sentence: String?
        do throws(MessageError) {
            _ = try TaskMessage(decoding: payload, limits: limits).decodeBody(limits: limits)
        } catch {
            sentence = error.description
        }
        return [
            "sentence": sentence.map(JSON.string) ?? .null,
            "place": sentence == nil ? .null : place(in: payload, limits) ?? .null,
        ]
    }

    /// The place in the message, or in its body, that is no JSON.
    private static func place(in payload: [UInt8], _ limits: MessageLimits) -> JSON? {
        let scope = JSONLimits(depth: limits.depth, bytes: limits.messageBytes)
        let envelope: JSON
        do throws(JSONError) {
            envelope = try JSON(parsing: payload, limits: scope)
        } catch {
            return place(error, in: payload, part: "the message")
        }
        guard let text = envelope["body"]?.string else { return nil }
        let isBase64 = envelope["properties"]?["body_encoding"]?.string == "base64"
        guard let body = isBase64 ? Data(base64Encoded: text).map(Array.init) : Array(text.utf8) else { return nil }
        do throws(JSONError) {
            _ = try JSON(parsing: body, limits: JSONLimits(depth: limits.depth, bytes: limits.bodyBytes))
            return nil
        } catch {
            return place(error, in: body, part: "the body")
        }
    }

    private static func place(_ error: JSONError, in bytes: [UInt8], part: String) -> JSON {
        var place = RawBytes.place(error.offset, in: bytes)
        place["part"] = .string(part)
        place["expected"] = .string(error.expected)
        return place
    }
}
