// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Tracing

/// A tracer that keeps its spans in memory, and carries contexts by W3C's `traceparent`.
package final class RecordingTracer: Tracer {
    private let state = Mutex<[Span]>([])
    private let file: SpanFile?

    /// Makes a tracer without spans.
    package init() { file = nil }

    /// Makes one that writes each span to a file, too, once it has ended: a line of JSON, as other processes do there.
    package init(appendingTo path: String) throws { file = try SpanFile(path) }

    /// The spans that have ended.
    package var ended: [Span] { state.withLock { $0 }.filter { !$0.isRecording } }

    /// The one span of that name that has ended; `nil` if there is none, or more.
    package func span(_ name: String) -> Span? {
        let spans = ended.filter { $0.operationName == name }
        return spans.count == 1 ? spans[0] : nil
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> Span {
        let span = Span(operationName, kind, in: context(), file)
        state.withLock { $0.append(span) }
        return span
    }

    package func forceFlush() {}

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let parent = context[SpanKey.self] else { return }
        injector.inject("00-\(parent.trace)-\(parent.span)-01", forKey: "traceparent", into: &carrier)
    }

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let parts = extractor.extract(key: "traceparent", from: carrier)?.split(separator: "-"), parts.count == 4
        else { return }
        context[SpanKey.self] = SpanName(trace: String(parts[1]), span: String(parts[2]))
    }
}

extension RecordingTracer {
    /// Which span of which trace, in hexadecimal digits.
    package struct SpanName: Sendable, Hashable {
        package var trace: String
        package var span: String
    }

    enum SpanKey: ServiceContextKey {
        typealias Value = SpanName
    }

    /// A span, and what was told of it.
    package final class Span: Tracing.Span {
        package let context: ServiceContext
        package let name: SpanName
        /// The span that it is a child of, here or in another process.
        package let parent: SpanName?
        package let kind: SpanKind
        private let file: SpanFile?
        private let state: Mutex<State>

        private struct State {
            var operationName: String
            var attributes = SpanAttributes()
            var status: SpanStatus?
            var errors: [String] = []
            var isEnded = false
        }

        init(_ operationName: String, _ kind: SpanKind, in parent: ServiceContext, _ file: SpanFile?) {
            self.file = file
            self.parent = parent[SpanKey.self]
            self.kind = kind
            name = SpanName(trace: self.parent?.trace ?? Self.digits(32), span: Self.digits(16))
            var context = parent
            context[SpanKey.self] = name
            self.context = context
            state = Mutex(State(operationName: operationName))
        }

        private static func digits(_ count: Int) -> String {
            String((0..<count).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        }

        package var operationName: String {
            get { state.withLock { $0.operationName } }
            set { state.withLock { $0.operationName = newValue } }
        }
        package var attributes: SpanAttributes {
            get { state.withLock { $0.attributes } }
            set { state.withLock { $0.attributes = newValue } }
        }
        package var status: SpanStatus? { state.withLock { $0.status } }
        package var errors: [String] { state.withLock { $0.errors } }
        package var isRecording: Bool { state.withLock { !$0.isEnded } }

        /// The text of an attribute.
        package func text(_ name: String) -> String? {
            if case .string(let text) = attributes.get(name) { text } else { nil }
        }

        package func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }
        package func addEvent(_ event: SpanEvent) {}
        package func addLink(_ link: SpanLink) {}
        package func recordError<Instant: TracerInstant>(
            _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
        ) {
            state.withLock { $0.errors.append("\(error)") }
        }
        package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
            state.withLock { $0.isEnded = true }
            file?.append(FiledSpan(self))
        }
    }
}
