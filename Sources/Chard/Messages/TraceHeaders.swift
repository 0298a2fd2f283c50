// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Tracing

/// Reads and writes the context of a trace where OpenTelemetry's instrumentation of Celery does: among a message's headers, under
/// the names that the propagator gives, such as W3C's `traceparent`.
struct TraceHeaders: Injector, Extractor {
    /// The headers that a message passes on to those that its task sends, where nobody traces here: W3C's.
    private static let passedOn = ["traceparent", "tracestate", "baggage"]

    /// Whether somebody traces in this process. Asked once for a call or a worker: it takes a lock.
    static var isTraced: Bool { !(InstrumentationSystem.instrument is NoOpInstrument) }

    func extract(key: String, from headers: [String: JSON]) -> String? { headers[key]?.string }

    func inject(_ value: String, forKey key: String, into headers: inout [String: JSON]) {
        headers[key] = .string(value)
    }

    /// The context that headers carry.
    static func context(in headers: [String: JSON]) -> ServiceContext {
        var context = ServiceContext.topLevel
        InstrumentationSystem.instrument.extract(headers, into: &context, using: Self())
        return context
    }

    /// Writes a context into headers, in place of any other.
    static func write(_ context: ServiceContext, to headers: inout [String: JSON]) {
        InstrumentationSystem.instrument.inject(context, into: &headers, using: Self())
    }

    /// Whether headers carry a trace.
    static func isThere(in headers: [String: JSON]) -> Bool {
        !headers.isEmpty && headers[passedOn[0]] != nil
    }

    /// Passes a trace on, unless there is one already.
    static func pass(from headers: [String: JSON], to others: inout [String: JSON]) {
        guard isThere(in: headers), others[passedOn[0]] == nil else { return }
        for name in passedOn { others[name] = headers[name] }
    }
}

extension TaskMessage {
    /// The id of the trace that the task belongs to, 32 hexadecimal digits, where a `traceparent` tells.
    var traceID: String? {
        guard !headers.isEmpty, let parts = headers["traceparent"]?.string?.split(separator: "-"), parts.count >= 4
        else { return nil }
        let digits = parts[1].utf8
        guard digits.count == 32, digits.allSatisfy(Self.hexadecimal.contains) else { return nil }
        return String(parts[1])
    }

    private static let hexadecimal = Set("0123456789abcdef".utf8)
}
