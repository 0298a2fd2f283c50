// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation

/// One keep-alive connection of a client, by hand: what is sent, and what comes back, in this order.
public final class Wire: Sendable {
    /// What a server answers.
    public struct Answer: Sendable {
        /// The status.
        public var status = 0
        /// The headers, by names in small letters.
        public var headers: [String: String] = [:]
        /// The body, where it was read.
        public var body = ""
    }

    private let socket: Int32
    private let queue = DispatchQueue(label: "wire")

    /// Connects to a port of this machine.
    public init(port: Int) throws {
        #if canImport(Glibc)
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        socket = Foundation.socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw TestServerError("no connection to port \(port): \(errno)") }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { Foundation.close(socket) }

    /// Sends a request and reads its answer.
    public func ask(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String = ""
    ) async throws -> Answer {
        try await send(method, path, headers: headers, body: body)
        return try await perform { [self] in
            var answer = try head()
            guard method != "HEAD" else { return answer }
            let length = Int(answer.headers["content-length"] ?? "0") ?? 0
            answer.body = String(decoding: try bytes(length), as: UTF8.self)
            return answer
        }
    }

    /// Sends a request; its `Host` is `localhost` unless a header says otherwise.
    public func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String = ""
    ) async throws {
        let all = ["Host": "localhost", "Content-Length": "\(body.utf8.count)"].merging(headers) { $1 }
        let lines = all.map { "\($0.key): \($0.value)\r\n" }.joined()
        let text = Array("\(method) \(path) HTTP/1.1\r\n\(lines)\r\n\(body)".utf8)
        try await perform { [socket] in
            guard Foundation.send(socket, text, text.count, Int32(MSG_NOSIGNAL)) == text.count else {
                throw TestServerError("cannot send: \(errno)")
            }
        }
    }

    /// Reads the head of an answer whose body is read by ``text(until:)``.
    public func streamed() async throws -> Answer {
        try await perform { [self] in try head() }
    }

    /// Reads until a text has come, or the connection is closed.
    public func text(until end: String) async throws -> String {
        try await perform { [self] in
            var text = ""
            while !text.contains(end) {
                let more = try some()
                if more.isEmpty { break }
                text += String(decoding: more, as: UTF8.self)
            }
            return text
        }
    }

    private func head() throws -> Answer {
        var text: [UInt8] = []
        while !text.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) { text += try bytes(1) }
        var lines = String(decoding: text, as: UTF8.self).components(separatedBy: "\r\n")[...]
        var answer = Answer()
        let words = lines.removeFirst().split(separator: " ")
        answer.status = words.count > 1 ? Int(words[1]) ?? 0 : 0
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            answer.headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                .trimmingCharacters(in: .whitespaces)
        }
        return answer
    }

    private func bytes(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try some(count - bytes.count)
            if more.isEmpty { throw TestServerError("the connection was closed") }
            bytes += more
        }
        return bytes
    }

    private func some(_ most: Int = 65_536) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: most)
        let count = recv(socket, &bytes, most, 0)
        guard count >= 0 else { throw TestServerError("nothing came: \(errno)") }
        return Array(bytes.prefix(count))
    }

    private func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}
