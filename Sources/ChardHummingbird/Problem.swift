// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What went wrong, as RFC 9457 has it: `application/problem+json`.
struct Problem {
    let status: HTTPResponse.Status
    let detail: String
    /// Members beside the standard's own.
    var more: [String: JSON] = [:]

    init(_ status: HTTPResponse.Status, _ detail: String, _ more: [String: JSON] = [:]) {
        self.status = status
        self.detail = detail
        self.more = more
    }

    func response(headers: HTTPFields = [:]) -> Response {
        var members: [String: JSON] = [
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": .integer(status.code),
            "detail": .string(detail),
        ]
        members.merge(more) { $1 }
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: status, json: .object(members), headers: headers)
    }
}

extension Problem {
    /// The answer while the broker is away, which the log is told of.
    static func brokerAway(
        _ error: BrokerError, _ request: Request, retryAfter: Duration, logger: Logger
    ) -> Response {
        logger.error(
            "the broker is away; answered 503", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
        return Problem(
            .serviceUnavailable,
            "The task queue cannot be reached at the moment; nothing was done. Try again in a moment."
        ).response(headers: wait(retryAfter))
    }

    /// For how long a client is to wait: whole seconds, and at least one.
    static func wait(_ duration: Duration) -> HTTPFields {
        [.retryAfter: "\(max(1, duration.components.seconds))"]
    }
}

extension Response {
    init(status: HTTPResponse.Status, json: JSON, headers: HTTPFields = [:]) {
        self.init(status: status, text: json.encoded(), headers: headers)
    }

    init(status: HTTPResponse.Status, text: [UInt8], headers: HTTPFields) {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/json; charset=utf-8" }
        // A status changes from one look to the next.
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: text)))
    }
}
