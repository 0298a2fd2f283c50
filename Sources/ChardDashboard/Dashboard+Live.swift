// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

extension Dashboard {
    /// What is below a page's title, and anew whenever it has changed, as server-sent events; `away` while there is nothing to be shown.
    ///
    /// The stream ends with the client, and with the server's graceful shutdown.
    func live(_ page: Page, _ question: Question, _ request: Request) -> Response {
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        // Or nginx would keep events back until it has a bufferful.
        if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    var last = ""
                    for await event in PageEvents(next: { await event(page, question) }).cancelOnGracefulShutdown() {
                        // A comment for proxies that close what is silent, and to find out whether the client has gone.
                        try await writer.write(ByteBuffer(string: event == last ? ": the same\n\n" : event))
                        last = event
                    }
                }
                try await writer.finish(nil)
            })
    }

    private func event(_ page: Page, _ question: Question) async -> String {
        do {
            return Self.event("page", main(page, try await document(page, question.asked(at: app.settings.now()))))
        } catch {
            return Self.event("away", PageError(error).text)
        }
    }

    private static func event(_ name: String, _ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "data: \($0)\n" }
        return "event: \(name)\n\(lines.joined())\n"
    }
}

/// What a page shows, every two seconds, until the task that watches is cancelled.
private struct PageEvents: AsyncSequence, Sendable {
    let next: @Sendable () async -> String

    struct AsyncIterator: AsyncIteratorProtocol {
        let events: PageEvents
        var isFirst = true

        mutating func next() async -> String? {
            if !isFirst, (try? await Task.sleep(for: .seconds(2))) == nil { return nil }
            isFirst = false
            return Task.isCancelled ? nil : await events.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(events: self) }
}

extension Question {
    /// The same, asked at another time.
    fileprivate func asked(at now: Date) -> Question {
        Question(facts: facts, names: names, filters: filters, now: now)
    }
}
