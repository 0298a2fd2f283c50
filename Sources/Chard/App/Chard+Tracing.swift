// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Chard {
    /// Sends what was called for: through all middleware, and inside a span where somebody traces.
    ///
    /// Where nobody does, and a task sends that belongs to a trace, its messages belong to the same one.
    /// - Parameter sender: The message of the task that sends.
    func sendTraced(
        _ messages: [TaskMessage], by sender: TaskMessage?, to last: Destination
    ) async throws -> Enqueued {
        if !messages.isEmpty, TraceHeaders.isTraced {
            var traced = messages
            let span = SendingSpan(of: &traced, by: sender)
            return try await span.whileSending { [traced] in
                try await send(traced, through: middleware[...], to: { try await last.send($0) })
            }
        }
        guard let sender, TraceHeaders.isThere(in: sender.headers) else {
            return try await send(messages, through: middleware[...], to: { try await last.send($0) })
        }
        var traced = messages
        for index in traced.indices { TraceHeaders.pass(from: sender.headers, to: &traced[index].headers) }
        return try await send(traced, through: middleware[...], to: { try await last.send($0) })
    }
}
