// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore

/// The connections that a consumer's blocking pops wait on, and that large messages come by. Lives on the event loop.
final class PopConnections {
    private let server: RedisAccess
    private let options: RedisOptions
    /// For each pop the command, and the question whether there are new orders or, where that is wanted, it leaves messages: made
    /// once.
    private let commands: [[RedisCommand]]
    /// How long each waits.
    private let lengths: [Duration]
    private var connections: [RedisConnection?]
    private var round = 0
    /// How many are being opened just now.
    private var opening = 0

    /// - Parameter messageLimit: Of how many bytes on a message is larger than anybody takes.
    init(_ lists: [WaitingList], ripe: [WaitingList], server: RedisAccess, messageLimit: Int) {
        self.server = server
        var options = server.options
        // And some room for the reply's own words.
        options.maximumReply = min(messageLimit, .max - 65_536) + 65_536
        // With the time that a pop waits, the ten seconds in which a dead connection is to be noticed.
        options.readTimeout = .seconds(4)
        self.options = options
        let steps = server.keys.steps.count
        let lengths = lists.indices.map { server.settings.popLength($0 / steps, of: lists.count / steps) }
        self.lengths = lengths
        commands = lists.indices.map { index in
            let (list, ripe) = (lists[index], ripe[index])
            let pop = RedisCommand(
                "BLMOVE", list.key, list.leased, "RIGHT", "LEFT", lengths[index] / .seconds(1))
            return [pop, RedisCommand("EXISTS", server.keys.news, list.key, ripe.key)]
        }
        connections = lists.map { _ in nil }
    }

    func connect(_ pop: PopID, then tell: @escaping (_ trouble: (any Error)?) -> Void) {
        // Not at once: whoever is told has just asked.
        if let shortage = SpareDescriptors.shortage(opening: opening) {
            return server.client.eventLoop.assumeIsolated().execute {
                if pop.round == self.round { tell(shortage) }
            }
        }
        opening += 1
        RedisConnection.open(to: server.url, options: options, on: server.client.eventLoop)
            .assumeIsolated().whenComplete { result in
                self.opening -= 1
                switch result {
                case .success(let connection):
                    guard pop.round == self.round else { return connection.closeAtOnce() }
                    self.connections[pop.index] = connection
                    tell(nil)
                case .failure(let error):
                    if pop.round == self.round { tell(error) }
                }
            }
    }

    func pop(_ pop: PopID, then tell: @escaping (PopAnswer) -> Void) {
        submit(commands[pop.index], over: pop, blockFor: lengths[pop.index]) { replies in
            guard let replies else { return tell(.lost) }
            if let error = replies[0].error, error.code != .unblocked { return tell(.refused(error)) }
            guard let message = replies[0].bytes else { return tell(.nothing) }
            tell(.message(message, isLast: replies.last?.integer == 0))
        }
    }

    /// Sends commands that do not wait for anything: where neither the caller's nor the server's other work should have to
    /// wait for what they bring. `tell` gets nil if the connection ended before the replies.
    func submit(
        _ commands: [RedisCommand], over pop: PopID, blockFor: Duration? = nil,
        then tell: @escaping ([RESPValue]?) -> Void
    ) {
        guard pop.round == round, let connection = connections[pop.index] else { return tell(nil) }
        connection.submit(commands, blockFor: blockFor).assumeIsolated().whenComplete { result in
            let replies = try? result.get()
            if replies == nil, pop.round == self.round { self.connections[pop.index] = nil }
            tell(replies)
        }
    }

    /// The numbers by which the server can be told to end these pops.
    func clientIDs(of pops: [PopID]) -> [Int] {
        pops.compactMap { $0.round == round ? connections[$0.index]?.clientID : nil }
    }

    /// Closes them all, at once; those of the next round take their places.
    func closeAll() {
        round += 1
        let old = connections
        connections = old.map { _ in nil }
        for connection in old { connection?.closeAtOnce() }
    }
}
