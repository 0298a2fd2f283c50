// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardRedis
import Synchronization
import TestServers

/// A place in the conversation with the server at which the proxy holds everything that follows: once, for the first
/// command that fits.
public final class ProxyGate: Sendable {
    /// The place.
    public enum Place: Sendable {
        /// The server has carried out a claim that brings something, and the worker does not know.
        case claimReply
        /// The same for the blocking pop.
        case popReply
        /// A status on the way (STARTED) leaves the worker.
        case report
        /// A settlement leaves the worker.
        case settlement
        /// The server has settled, and the worker does not know.
        case settlementReply
    }

    /// The place.
    public let place: Place
    private let state = Mutex((isTaken: false, isReached: false))

    init(_ place: Place) {
        self.place = place
    }

    /// Waits until something is held.
    public func reached(within limit: Duration = .seconds(30)) async throws {
        try await eventually("the conversation comes to \(place)", within: limit) { state.withLock { $0.isReached } }
    }

    func note() {
        state.withLock { $0.isReached = true }
    }

    /// Whether the client's bytes are to be held from this command on. True once.
    func holds(command: [UInt8]) -> Bool {
        switch place {
        case .report: take(if: command.isScript(.report))
        case .settlement: take(if: command.isSettlement)
        case .claimReply, .popReply, .settlementReply: false
        }
    }

    /// Whether the server's bytes are to be held from this reply on. True once.
    func holds(reply: [UInt8], to command: [UInt8]) -> Bool {
        guard reply.first != UInt8(ascii: "-") else { return false }
        return switch place {
        case .claimReply: take(if: command.isScript(.claim) && !reply.starts(with: "*1\r".utf8))
        case .popReply:
            take(
                if: RESPScanner.words(of: command, 1) == ["BLMOVE"] && reply.starts(with: "$".utf8)
                    && !reply.starts(with: "$-1".utf8))
        case .settlementReply: take(if: command.isSettlement)
        case .report, .settlement: false
        }
    }

    private func take(if fits: Bool) -> Bool {
        fits
            && state.withLock { state in
                defer { state.isTaken = true }
                return !state.isTaken
            }
    }
}

extension [UInt8] {
    fileprivate var isSettlement: Bool { isScript(.settle) || isScript(.succeed) }

    fileprivate func isScript(_ script: RedisScript) -> Bool {
        RESPScanner.words(of: self, 2) == ["EVALSHA", script.digest]
    }
}
