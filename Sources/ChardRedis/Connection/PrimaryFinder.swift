// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// Asks sentinels where the primary is, over one connection to whichever of them answers.
///
/// Who has answered is asked first the next time; who cannot be reached, does not know the name, or has named a server that
/// turned out to be none, is asked last.
final class PrimaryFinder: Sendable {
    /// What a sentinel has said.
    struct Finding: Sendable {
        let address: RedisURL.Address
        /// Which of the sentinels has said it.
        let place: Int
        /// As errors begin.
        let words: String
    }

    private struct State {
        /// Who is asked first.
        var place = 0
        var line: Line?
    }

    private struct Line: Sendable {
        let place: Int
        let connection: EventLoopFuture<RedisConnection>
    }

    private let state = Mutex(State())

    /// Asks one sentinel after the other, until one names a server.
    func find(
        _ sentinels: Sentinels, clientName: String?, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Finding> {
        let first = state.withLock { $0.place }
        return ask(sentinels, clientName, turn: 0, from: first, said: [], on: eventLoop)
    }

    /// What a sentinel has said is not so: another one is asked the next time.
    func doubt(_ finding: Finding, of sentinels: Sentinels) {
        state.withLock { state in
            if state.place == finding.place { state.place = (finding.place + 1) % sentinels.addresses.count }
        }
    }

    /// Closes the connection; the next question opens another.
    func hangUp() {
        drop { _ in true }
    }

    /// Lets go of the connection if it is one of these. Outside of the lock: its end is told at once, to who asks the next one then.
    private func drop(_ isMeant: (Int) -> Bool) {
        let dropped = state.withLock { state in
            guard let line = state.line, isMeant(line.place) else { return nil as Line? }
            return state.line.take()
        }
        withExtendedLifetime(dropped) {}
    }

    private func ask(
        _ sentinels: Sentinels, _ clientName: String?, turn: Int, from first: Int, said: [RedisError],
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<Finding> {
        guard turn < sentinels.addresses.count else {
            return eventLoop.makeFailedFuture(RedisError(noPrimary: sentinels, said: said))
        }
        let place = (first + turn) % sentinels.addresses.count
        let peer = sentinels.addresses[place].text
        return line(to: place, sentinels, clientName, on: eventLoop)
            .flatMap { $0.submit([RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinels.primary)]) }
            .hop(to: eventLoop)
            .flatMapThrowing { replies in
                let address = try Self.address(in: replies.first, from: peer, named: sentinels.primary)
                self.state.withLock { $0.place = place }
                return Finding(
                    address: address, place: place,
                    words: "sentinel \(peer) names \(address.text) as the primary of \"\(sentinels.primary)\"")
            }
            .flatMapError { error in
                self.drop { $0 == place }
                let said = said + [RedisError(connectionTo: peer, failed: error)]
                return self.ask(sentinels, clientName, turn: turn + 1, from: first, said: said, on: eventLoop)
            }
    }

    /// The connection to this sentinel. All who ask at once share one.
    private func line(
        to place: Int, _ sentinels: Sentinels, _ clientName: String?, on eventLoop: any EventLoop
    ) -> EventLoopFuture<RedisConnection> {
        let (connection, replaced) = state.withLock { state in
            if let line = state.line, line.place == place { return (line.connection, nil as Line?) }
            var options = RedisOptions(clientName: clientName)
            // A sentinel has nothing else to do. One that is slow is passed over: there are others.
            options.connectTimeout = .seconds(1)
            options.readTimeout = .seconds(1)
            options.maximumReply = 65_536
            let connection = RedisConnection.open(to: sentinels.url(of: place), options: options, on: eventLoop)
            let replaced = state.line
            state.line = Line(place: place, connection: connection)
            return (connection, replaced)
        }
        // As above.
        withExtendedLifetime(replaced) {}
        return connection
    }

    private static func address(
        in reply: RESPValue?, from peer: String, named name: String
    ) throws(RedisError) -> RedisURL.Address {
        switch reply {
        case .array(let words):
            guard words.count == 2, let host = words[0].text, !host.isEmpty,
                let port = words[1].text.flatMap({ Int($0) }), (1...65_535).contains(port)
            else { break }
            return .tcp(host: host, port: port)
        case .null:
            throw RedisError(
                code: .unreachable,
                message: "sentinel \(peer) knows no primary \"\(name)\"; check the name in the URL")
        case .error(let error):
            let hint = error.isUnknownCommand ? "; is it a sentinel?" : ""
            throw RedisError(code: error.code, message: "sentinel \(peer) says: \(error.message)\(hint)")
        default: break
        }
        throw RedisError(code: .unreachable, message: "sentinel \(peer) answers with no address; is it a sentinel?")
    }
}

extension RedisError {
    /// No sentinel has named a server. It is waited for as for a server that cannot be reached, unless all have refused the
    /// password.
    fileprivate init(noPrimary sentinels: Sentinels, said: [RedisError]) {
        let isRefused = said.allSatisfy { $0.code == .authentication }
        self.init(
            code: isRefused ? .authentication : .unreachable,
            message: "no sentinel names the primary of \"\(sentinels.primary)\": "
                + said.map(\.message).joined(separator: "; ")
                + (isRefused ? "; the URL gives theirs as ?sentinel_username= and &sentinel_password=" : ""),
            underlying: said.last)
    }
}
