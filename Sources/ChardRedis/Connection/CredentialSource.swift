// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore

/// Asks the program for credentials.
struct CredentialSource: Sendable {
    private let ask: @Sendable () async throws -> RedisCredentials

    init(_ ask: @escaping @Sendable () async throws -> RedisCredentials) {
        self.ask = ask
    }

    /// What the program gives; the future fails with a ``RedisError``.
    func credentials(
        for peer: String, within patience: Duration, on eventLoop: any EventLoop
    ) -> EventLoopFuture<RedisCredentials> {
        let promise = eventLoop.makePromise(of: RedisCredentials.self)
        let answer = FirstAnswer<RedisCredentials, RedisError>()
        answer.whenGiven { promise.completeWith($0.mapError { $0 as any Error }) }
        let asking = Task {
            do {
                answer.give(.success(try await ask()))
            } catch {
                answer.give(.failure(.noCredentials(for: peer, "\(error)", error)))
            }
        }
        let timer = eventLoop.scheduleTask(in: TimeAmount(patience)) {
            asking.cancel()
            answer.give(.failure(.noCredentials(for: peer, "none came within \(patience)")))
        }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        return promise.futureResult
    }
}

extension RedisError {
    fileprivate static func noCredentials(for peer: String, _ reason: String, _ cause: (any Error)? = nil) -> RedisError
    {
        RedisError(
            code: .unreachable, message: "the program has no credentials for \(peer): \(reason)", underlying: cause)
    }
}
