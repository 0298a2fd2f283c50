// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import NIOCore

/// Has a living connection authenticate anew before its credentials lapse. Lives on the event loop.
final class CredentialRenewal {
    private let source: CredentialSource
    private let options: RedisOptions
    private let peer: String
    private let eventLoop: any EventLoop
    /// Only what uses the connection keeps it.
    private weak var handler: ConnectionHandler?

    init(
        of handler: ConnectionHandler, _ source: CredentialSource, _ options: RedisOptions, peer: String,
        on eventLoop: any EventLoop
    ) {
        self.handler = handler
        self.source = source
        self.options = options
        self.peer = peer
        self.eventLoop = eventLoop
    }

    /// How long after now new ones are asked for: a minute before the old ones lapse, or a fifth of the time that they have.
    static func delay(before lapse: Date, now: Date) -> TimeAmount {
        let left = lapse.timeIntervalSince(now)
        return .milliseconds(Int64(max(1, min(left - min(60, left / 5), 86_400 * 365)) * 1_000))
    }

    func begin(_ credentials: RedisCredentials) {
        guard let lapse = credentials.lapse else { return }
        next(in: Self.delay(before: lapse, now: Date()))
    }

    private func next(in delay: TimeAmount) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) { self.renew() }
    }

    private func renew() {
        guard let handler, !handler.isClosed else { return }
        source.credentials(for: peer, within: options.connectTimeout, on: eventLoop).assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let credentials): self.authenticate(credentials)
                case .failure(let error): self.failed(error)
                }
            }
    }

    private func authenticate(_ credentials: RedisCredentials) {
        guard let handler, !handler.isClosed else { return }
        let promise = eventLoop.makePromise(of: RESPValue.self)
        handler.authenticate(with: credentials.command, promise)
        promise.futureResult.assumeIsolated().whenComplete { result in
            do {
                _ = try result.get().get()
                self.begin(credentials)
            } catch {
                self.failed(error)
            }
        }
    }

    /// The connection lives on for as long as the server lets it, and is not ended for this.
    private func failed(_ error: any Error) {
        guard let handler, !handler.isClosed else { return }
        options.logger.warning(
            "a connection to Redis could not authenticate anew; it is tried again",
            metadata: ["server": "\(peer)", "error": "\((error as? RedisError)?.message ?? "\(error)")"])
        next(in: .seconds(1))
    }
}
