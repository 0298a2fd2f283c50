// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

extension Jobs {
    /// The status, then each new one, as server-sent events.
    ///
    /// Whoever comes again after a cut says what it has seen last, and is not told so once more; nothing is missed, since a status says
    /// all that there is to say. The stream ends with the task, with the client, and with the server's graceful shutdown.
    func events(of job: TaskStatus, _ id: String, _ request: Request) -> Response {
        let seen = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
        // To a browser's EventSource this means: do not come again.
        if job.state.isReady, seen == Self.eventID(of: job) { return Response(status: .noContent) }
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        // Or nginx would keep events back until it has a bufferful.
        if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    var last = seen
                    for try await line in lines(of: id, job).cancelOnGracefulShutdown() {
                        switch line {
                        case .alive:
                            try await writer.write(ByteBuffer(string: ": waiting\n\n"))
                        case .status(let status):
                            let event = Self.eventID(of: status)
                            if event == last { continue }
                            last = event
                            try await writer.write(ByteBuffer(string: text(of: status, id, event)))
                        }
                    }
                }
                try await writer.finish(nil)
            })
    }

    private enum Line: Sendable {
        case status(TaskStatus)
        /// For proxies that close what is silent, and to find out whether the client has gone.
        case alive
    }

    private func lines(of id: String, _ job: TaskStatus) -> AsyncThrowingStream<Line, any Error> {
        let (lines, continuation) = AsyncThrowingStream<Line, any Error>.makeStream()
        let task = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        guard (try? await Task.sleep(for: .seconds(15))) != nil else { return }
                        continuation.yield(.alive)
                    }
                }
                do {
                    continuation.yield(.status(job))
                    if !job.state.isReady {
                        for try await status in try app.results.statuses(of: id) {
                            continuation.yield(.status(status))
                            if status.state.isReady { break }
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
                group.cancelAll()
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return lines
    }

    private func text(of status: TaskStatus, _ id: String, _ event: String) -> String {
        let data = String(decoding: document(of: status, id).encoded(), as: UTF8.self)
        return "id: \(event)\nevent: \(status.state.isReady ? "end" : "status")\ndata: \(data)\n\n"
    }

    /// The same for the same status, in any process: FNV-1a over its text.
    private static func eventID(of status: TaskStatus) -> String {
        let hash = status.encoded().reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
