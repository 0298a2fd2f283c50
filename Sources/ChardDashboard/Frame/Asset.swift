// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

/// A file that pages refer to.
struct Asset: Sendable {
    let path: String
    let type: String
    let text: String

    static let all = [
        Asset(path: "assets/dashboard.css", type: "text/css; charset=utf-8", text: Style.text),
        Asset(path: "assets/dashboard.js", type: "text/javascript; charset=utf-8", text: Script.text),
    ]

    /// Kept by browsers: its address has the version in it.
    var response: Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "private, max-age=86400"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
