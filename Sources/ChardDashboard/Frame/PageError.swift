// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

/// Why there is no page, or nothing was done: a status and a sentence for whoever asked.
struct PageError: Error {
    let status: HTTPResponse.Status
    let text: String

    init(_ status: HTTPResponse.Status, _ text: String) {
        self.status = status
        self.text = text
    }

    /// What an error comes to.
    init(_ error: any Error) {
        switch error {
        case let error as PageError: self = error
        case let error as Refusal: self.init(error.status, error.text)
        case let error as BrokerError where error.isRetryable:
            self.init(.serviceUnavailable, "The broker is away: \(error). This page goes on when it is back.")
        case let error as BrokerError: self.init(.badGateway, "The broker refuses it: \(error)")
        case let error as AppError: self.init(.notImplemented, "\(error)")
        default: self.init(.internalServerError, "This failed: \(error)")
        }
    }

    /// That something is not there, or no longer.
    static func missing(_ what: String) -> PageError {
        PageError(.notFound, "There is no \(what), or there is none any more.")
    }
}
