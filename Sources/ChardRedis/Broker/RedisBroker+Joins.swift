// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension RedisBroker: JoinStore {
    /// Opens joins, each in a step of its own or together with others.
    public func open(_ joins: [JoinOpening]) async throws {
        guard !joins.isEmpty else { return }
        _ = try await server.ask(writing(Effects(joins.map(Effect.open)), now: 0))
    }

    /// Counts an end.
    public func join(_ part: JoinPart) async throws -> JoinAnswer {
        let reply = try await server.ask(writing([.join(part)], now: 0))[0]
        guard case .join(let answer)? = [Effect.Answer](reply).first else {
            throw BrokerError(.damaged, "the server's answer to the end of a join's member is none")
        }
        return answer
    }

    /// The ends that were counted, page by page, lest the server stands still for others; several pages in a round trip.
    public func ends(of group: String) async throws -> [[UInt8]] {
        let page = 500
        var ends: [[UInt8]] = []
        while true {
            let starts = stride(from: ends.count, to: ends.count + page * 8, by: page)
            let replies = try await server.ask(
                starts.map { RedisCommand("ZRANGE", keys.joinEnds(group), $0, $0 + page - 1) })
            for reply in replies {
                let more = (reply.array ?? []).compactMap(\.bytes)
                ends += more
                if more.count < page { return ends }
            }
        }
    }

    /// How many of these stand up to a place.
    public func countEnds(of group: String, upTo index: Int?) async throws -> Int {
        let last = index.map { "\($0)" } ?? "+inf"
        return try await server.ask([RedisCommand("ZCOUNT", keys.joinEnds(group), "-inf", last)])[0].integer ?? 0
    }

    /// What was stored of the members.
    public func members(of group: String) async throws -> [UInt8]? {
        try await server.ask([RedisCommand("GET", keys.group(group))])[0].bytes
    }
}
