// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension BrokerError {
    /// The broker's view of a connection's error.
    init(_ error: RedisError) {
        let code: BrokerError.Code =
            switch error.code {
            case .connectionRefused, .unreachable, .closed, .timedOut, .tls: .unavailable
            case .shutDown: .closed
            case .authentication, .noPermission: .unauthorized
            case .badURL: .misconfigured
            case .wrongType, .protocolError, .clusterMoved: .damaged
            case .tooLarge: .tooLarge
            default: error.isRetryable ? .refused : .damaged
            }
        // What was being sent says nothing about a connection that could not be had.
        self.init(code, [.unavailable, .closed].contains(code) ? error.message : error.description, underlying: error)
    }
}

/// Runs Redis commands in the terms of the broker's errors; a cancelled caller gets `CancellationError`.
func translatingErrors<Value>(_ body: () async throws(RedisError) -> Value) async throws -> Value {
    do {
        return try await body()
    } catch {
        if error.code == .cancelled { throw CancellationError() }
        throw BrokerError(error)
    }
}
