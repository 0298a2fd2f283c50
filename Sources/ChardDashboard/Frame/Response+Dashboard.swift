// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A page. What it shows changes from one look to the next, and so does its form.
    init(html: String) {
        self.init(
            status: .ok,
            headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store", .vary: "Accept"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }

    /// A document for programs, of strict JSON.
    init(json: JSON) {
        self.init(
            status: .ok,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store", .vary: "Accept"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.strict.encoded())))
    }

    /// A sentence.
    init(status: HTTPResponse.Status, text: String, headers: HTTPFields) {
        var headers = headers
        headers[.contentType] = "text/plain; charset=utf-8"
        headers[.cacheControl] = "no-store"
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
    }
}
