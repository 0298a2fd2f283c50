// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What a program answers over HTTP.
package struct HTTPAnswer: Sendable {
    /// Its status.
    package let status: Int
    /// Its body.
    package let text: String

    /// Asks once.
    package init(_ url: String, method: String = "GET", within patience: Double = 10) async throws {
        var request = URLRequest(url: try url.asURL, timeoutInterval: patience)
        request.httpMethod = method
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw TestServerError("no HTTP from \(url)") }
        status = response.statusCode
        text = String(decoding: data, as: UTF8.self)
    }

    /// The value of a metric's series, as it is written.
    package subscript(series: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .flatMap { Double($0.dropFirst(series.count + 1)) }
    }
}

extension String {
    fileprivate var asURL: URL {
        get throws {
            guard let url = URL(string: self) else { throw TestServerError("no URL: \(self)") }
            return url
        }
    }
}

extension Program {
    /// Asks for a probe at the address that the program has said it listens at.
    package func probe(_ path: String, method: String = "GET") async throws -> HTTPAnswer {
        let words = "probes and metrics are at "
        guard let start = talk.range(of: words)?.upperBound,
            let url = talk[start...].split(separator: "\n").first
        else { throw TestServerError("it has said no address:\n\(talk)") }
        return try await HTTPAnswer("\(url)\(path)", method: method)
    }
}
