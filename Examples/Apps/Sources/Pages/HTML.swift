// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore

/// A piece of HTML. What is put into it is escaped, unless it is HTML itself.
public struct HTML: Sendable, ExpressibleByStringInterpolation, ResponseGenerator {
    /// The text of it.
    public let text: String

    /// Text that is to be shown as it is, whatever is in it.
    public init(escaping text: String) {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        self.text = escaped
    }

    private init(raw text: String) { self.text = text }

    /// HTML that stands in the program.
    public init(stringLiteral text: String) { self.init(raw: text) }

    /// HTML with values in it.
    public init(stringInterpolation: StringInterpolation) { self.init(raw: stringInterpolation.text) }

    /// Pieces one after the other.
    public init(_ pieces: [HTML]) { self.init(raw: pieces.map(\.text).joined(separator: "\n")) }

    /// Puts values into HTML.
    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        /// Begins with nothing.
        public init(literalCapacity: Int, interpolationCount: Int) {}

        /// What stands in the program is HTML.
        public mutating func appendLiteral(_ literal: String) { text += literal }
        /// HTML stays as it is.
        public mutating func appendInterpolation(_ html: HTML) { text += html.text }
        /// Pieces of HTML, one after the other.
        public mutating func appendInterpolation(_ pieces: [HTML]) { text += HTML(pieces).text }
        /// Everything else is escaped.
        public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            text += HTML(escaping: value.description).text
        }
    }

    /// As an answer: scripts and styles come from this page alone.
    public func response(from request: Request, context: some RequestContext) -> Response {
        page()
    }

    /// The answer with a status of its own.
    public func page(_ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                    + "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
