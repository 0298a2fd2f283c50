// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Tracing

/// A file to which processes append the spans that have ended in them.
final class SpanFile: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw TestServerError("cannot write spans to \(path)") }
    }

    deinit { close(descriptor) }

    /// In one write, so that no other process's line gets between.
    func append(_ span: FiledSpan) {
        guard var line = try? JSONEncoder().encode(span) else { return }
        line.append(UInt8(ascii: "\n"))
        _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }
}

/// A span as it stands in a file of spans.
package struct FiledSpan: Codable, Sendable {
    /// Its operation's name.
    package let name: String
    /// The trace, and the span in it, in hexadecimal digits.
    package let trace, span: String
    /// The span that it is a child of.
    package let parent: String?
    /// Its attributes that are texts or numbers.
    package let attributes: [String: String]

    init(_ span: RecordingTracer.Span) {
        name = span.operationName
        trace = span.name.trace
        self.span = span.name.span
        parent = span.parent?.span
        var attributes: [String: String] = [:]
        span.attributes.forEach { name, value in
            switch value {
            case .string(let text): attributes[name] = text
            case .int32(let number): attributes[name] = "\(number)"
            case .int64(let number): attributes[name] = "\(number)"
            default: break
            }
        }
        self.attributes = attributes
    }

    /// All that have ended, in order.
    package static func read(_ path: String) throws -> [FiledSpan] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        return try text.split(separator: "\n").map { try JSONDecoder().decode(FiledSpan.self, from: Data($0.utf8)) }
    }
}
