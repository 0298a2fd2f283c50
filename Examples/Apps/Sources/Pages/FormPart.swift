// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

/// One field of a form that was sent as `multipart/form-data`, as forms with files are.
public struct FormPart: Sendable {
    /// The field's name.
    public var name = ""
    /// What the file is called at home, where the field is a file.
    public var fileName: String?
    /// The field's value.
    public var bytes: [UInt8] = []

    /// The value as text, without space around it.
    public var text: String { String(decoding: bytes, as: UTF8.self).trimmingSpace() }
}

/// Why a form was not taken.
public enum FormError: Error {
    /// It has more bytes than are allowed.
    case tooLarge(limit: Int)
    /// It is no form with files.
    case unreadable
}

extension Request {
    /// The fields of a form with files.
    ///
    /// A body that is too large is read to its end all the same, up to eight times the limit, since browsers show no answer that
    /// comes before they have sent everything.
    public func formParts(atMost limit: Int) async throws -> [FormPart] {
        guard let boundary = headers[.contentType].flatMap(Self.boundary) else { throw FormError.unreadable }
        var (body, size): ([UInt8], Int) = ([], 0)
        for try await piece in self.body {
            size += piece.readableBytes
            if size <= limit { body += piece.readableBytesView }
            if size > 8 * limit { break }
        }
        guard size <= limit else { throw FormError.tooLarge(limit: limit) }
        return try Self.parts(of: body, boundary)
    }

    private static func boundary(_ type: String) -> String? {
        guard type.lowercased().hasPrefix("multipart/form-data"), let mark = type.firstRange(of: "boundary=") else {
            return nil
        }
        let value = type[mark.upperBound...].prefix { $0 != ";" }
        return String(value).trimmingQuotes()
    }

    static func parts(of body: [UInt8], _ boundary: String) throws -> [FormPart] {
        let end = Array("\r\n--\(boundary)".utf8)
        // The first boundary has no line before it.
        let text = Array("\r\n".utf8) + body
        var parts: [FormPart] = []
        guard var place = find(end, in: text, from: 0) else { throw FormError.unreadable }
        while true {
            place += end.count
            // Two dashes end the form.
            if text[place...].starts(with: Array("--".utf8)) { return parts }
            guard let next = find(end, in: text, from: place),
                let head = find(Array("\r\n\r\n".utf8), in: text, from: place),
                head < next
            else { throw FormError.unreadable }
            var part = FormPart()
            for line in String(decoding: text[place..<head], as: UTF8.self).split(whereSeparator: \.isNewline)
            where line.lowercased().hasPrefix("content-disposition:") {
                part.name = value("name", of: line) ?? ""
                part.fileName = value("filename", of: line)
            }
            part.bytes = Array(text[(head + 4)..<next])
            parts.append(part)
            place = next
        }
    }

    private static func value(_ name: String, of line: Substring) -> String? {
        guard let start = line.firstRange(of: " \(name)=\"") else { return nil }
        return String(line[start.upperBound...].prefix { $0 != "\"" })
    }

    private static func find(_ mark: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        var place = start
        while place + mark.count <= text.count {
            guard let first = text[place...].firstIndex(of: mark[0]), first + mark.count <= text.count else {
                return nil
            }
            if text[first..<first + mark.count].elementsEqual(mark) { return first }
            place = first + 1
        }
        return nil
    }
}

extension String {
    /// Without space around it.
    public func trimmingSpace() -> String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    fileprivate func trimmingQuotes() -> String {
        count >= 2 && first == "\"" && last == "\"" ? String(dropFirst().dropLast()) : self
    }
}
