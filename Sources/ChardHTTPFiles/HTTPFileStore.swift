// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import NIOHTTP1

/// Files on an HTTP server that takes `PUT`, `GET` and `DELETE` of `<url>/<key>`: nginx with its DAV module, an object store behind a
/// proxy that signs, a few routes of one's own.
///
/// ```swift
/// app.use(files: try HTTPFileStore("https://files.example.com/uploads", headers: ["Authorization": "Bearer …"]))
/// ```
/// A `PUT` has to replace what was there as a whole, or not at all.
public struct HTTPFileStore: FileStore {
    /// The URL, without user and password.
    public let location: String
    private let address: HTTPAddress
    private let headers: HTTPHeaders
    private let timeout: TimeAmount
    private let tls: TLSTrust?

    /// A store at a URL, which nothing else should use; nothing is connected yet.
    ///
    /// The certificate of an `https://` server has to be for the host of the URL, and signed by an authority that the system trusts.
    ///
    /// - Parameters:
    ///   - url: `http://` or `https://`; `user:password@` before the host becomes basic authorization.
    ///   - headers: What every request has, such as its authorization.
    ///   - timeout: How long one request may take, at most.
    /// - Throws: `FileError` with the code `misnamed` if the URL cannot be read. It repeats nothing that may be a password.
    public init(_ url: String, headers: [String: String] = [:], timeout: Duration = .seconds(30)) throws(FileError) {
        try self.init(url, headers, timeout, authorityFile: nil)
    }

    /// The same for a server of a private authority: its certificate has to be for the host of the URL, and signed by one of those in
    /// `authorityFile`, a file of PEM certificates, which takes the place of the system's.
    ///
    /// - Throws: `FileError` with the code `misnamed`, too, where the URL is not `https://`, or the file holds no certificates. It is read
    ///   now, and not again.
    public init(
        _ url: String, headers: [String: String] = [:], timeout: Duration = .seconds(30), authorityFile: String
    ) throws(FileError) {
        try self.init(url, headers, timeout, authorityFile: authorityFile)
    }

    private init(
        _ url: String, _ headers: [String: String], _ timeout: Duration, authorityFile: String?
    ) throws(FileError) {
        address = try HTTPAddress(url)
        guard address.isSecure || authorityFile == nil else {
            throw FileError(
                .misnamed, "\(address) is not encrypted, and needs no authority; write https:// or leave that out")
        }
        tls = address.isSecure ? try TLSTrust(authorityFile: authorityFile) : nil
        location = address.description
        var all = HTTPHeaders(headers.map { ($0.key, $0.value) })
        if let authorization = address.authorization { all.replaceOrAdd(name: "Authorization", value: authorization) }
        self.headers = all
        self.timeout = TimeAmount(timeout)
    }

    /// Keeps bytes under a key.
    public func write(_ bytes: [UInt8], as key: String) async throws {
        let answer = try await ask(.PUT, key, body: bytes, atMost: 64 << 10)
        guard (200..<300).contains(answer.status.code) else { throw refusal(answer, key) }
    }

    /// What is kept under a key.
    public func read(_ key: String, atMost limit: Int) async throws -> [UInt8] {
        let answer = try await ask(.GET, key, atMost: limit)
        switch answer.status.code {
        case 200: return answer.body
        case 404, 410: throw FileError.missing(key, in: location)
        default: throw refusal(answer, key)
        }
    }

    /// Deletes what is kept under a key. Servers that say the same whether or not it was there are believed.
    public func remove(_ key: String) async throws -> Bool {
        let answer = try await ask(.DELETE, key, atMost: 64 << 10)
        switch answer.status.code {
        case 200..<300: return true
        case 404, 410: return false
        default: throw refusal(answer, key)
        }
    }

    private func ask(
        _ method: HTTPMethod, _ key: String, body: [UInt8]? = nil, atMost limit: Int
    ) async throws -> HTTPAnswer {
        try FileError.check(key)
        var headers = headers
        headers.replaceOrAdd(name: "Host", value: address.hostHeader)
        headers.replaceOrAdd(name: "Connection", value: "close")
        if let body {
            headers.replaceOrAdd(name: "Content-Length", value: "\(body.count)")
            headers.replaceOrAdd(name: "Content-Type", value: "application/octet-stream")
        }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: "\(address.path)/\(key)", headers: headers)
        return try await HTTPExchange.perform(head, body, at: address, tls, atMost: limit, within: timeout)
    }

    private func refusal(_ answer: HTTPAnswer, _ key: String) -> FileError {
        let code: FileError.Code = answer.status == .payloadTooLarge ? .tooLarge : .unavailable
        return FileError(code, "\(location) answered \(answer.status.code) \(answer.status.reasonPhrase) for \(key)")
    }
}
