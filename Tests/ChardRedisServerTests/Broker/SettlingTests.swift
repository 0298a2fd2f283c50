// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("Settling on a Redis server", .timeLimit(.minutes(2)))
struct SettlingTests {
    /// Sends `count` messages with the ids m0, m1, and so on, and claims them.
    private func claim(_ count: Int, _ bench: BrokerBench, _ consumer: any Consumer) async throws -> [Delivery] {
        try await bench.broker().send((0..<count).map { bench.message("t", .integer($0)) })
        var claimed: [Delivery] = []
        while claimed.count < count { claimed += try await consumer.claim(upTo: 7) }
        return claimed
    }

    private func held(_ bench: BrokerBench, _ consumer: any Consumer) async throws -> [[UInt8]] {
        let list = RedisCommand("LRANGE", "chard:{celery}:leased:0:\(consumer.identity)", 0, -1)
        return try await bench.broker().client.send(list).array?.compactMap(\.bytes).reversed() ?? []
    }

    @Test("in whatever order and company tasks end, exactly those leave that have ended", arguments: [1, 2, 3, 4])
    func anyOrder(seed: UInt64) async throws {
        try await BrokerBench.with { bench in
            var random = SeededGenerator(state: seed)
            let consumer = try await bench.consumer()
            var open = Array(try await claim(120, bench, consumer).enumerated())
            let broker = try bench.broker()
            while !open.isEmpty {
                // Mostly the oldest, as with slots that take turns; now and then anything.
                let reach = Bool.random(using: &random) ? 20 : open.count
                let chosen = open.prefix(reach).filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
                    .shuffled(using: &random)
                let settlements = chosen.map { index, delivery in
                    Int.random(in: 0..<30, using: &random) == 0
                        ? .handingBack(delivery) : bench.success(delivery, "m\(index)")
                }
                let receipts = try await consumer.settle(settlements)
                #expect(receipts.allSatisfy { $0 == .settled })
                open.removeAll { element in chosen.contains { $0.offset == element.offset } }
                #expect(try await held(bench, consumer) == open.map(\.element.payload))
                for ((index, _), settlement) in zip(chosen, settlements) {
                    let state = try await broker.status(of: "m\(index)")?.state
                    #expect(state == (settlement.effects.statuses.first == nil ? nil : .success))
                }
            }
            await consumer.close()
        }
    }

    @Test("what a join withholds stays held in its place, whatever ends beside it", arguments: [1, 2])
    func withheld(seed: UInt64) async throws {
        try await BrokerBench.with { bench in
            var random = SeededGenerator(state: seed)
            let consumer = try await bench.consumer()
            let broker = try bench.broker()
            var open = Array(try await claim(60, bench, consumer).enumerated())
            try await broker.open(open.map { JoinOpening(group: "\($0.offset)", size: 1, timeToLive: .seconds(60)) })
            // Every fifth is the only member of a join: it is withheld, and settled the next time it comes.
            func isMember(_ index: Int) -> Bool { index % 5 == 0 }
            var told: Set<Int> = []
            func settlement(_ index: Int, _ delivery: Delivery) -> Settlement {
                var settlement = bench.success(delivery, "m\(index)")
                guard isMember(index) else { return settlement }
                settlement.effects.append(
                    .join(
                        JoinPart(
                            group: "\(index)", member: "m\(index)", index: 0, isSuccess: true, end: Array("[1]".utf8),
                            timeToLive: .seconds(60), closing: told.contains(index) ? .success : nil)))
                return settlement
            }
            while !open.isEmpty {
                let chosen = open.prefix(20).filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
                let receipts = try await consumer.settle(chosen.map(settlement))
                var gone: Set<Int> = []
                for ((index, _), receipt) in zip(chosen, receipts) {
                    if isMember(index), told.insert(index).inserted {
                        #expect(receipt == Receipt(.withheld, answers: [.join(.last)]))
                        #expect(try await broker.status(of: "m\(index)") == nil)
                    } else {
                        #expect(receipt == Receipt(.settled, answers: isMember(index) ? [.join(.closed)] : []))
                        gone.insert(index)
                    }
                }
                open.removeAll { gone.contains($0.offset) }
                #expect(try await held(bench, consumer) == open.map(\.element.payload))
            }
            // One that is withheld, and never settled, goes back when its holder ends.
            let last = try await claim(1, bench, consumer)[0]
            try await broker.open([JoinOpening(group: "0", size: 1, timeToLive: .seconds(60))])
            told = []
            #expect(try await consumer.settle([settlement(0, last)]).map(\.end) == [.withheld])
            await consumer.close()
            #expect(
                try await bench.server.cli("LRANGE", "celery", "0", "-1")
                    == String(decoding: last.payload, as: UTF8.self))
        }
    }

    @Test("the oldest are dropped by count, and not one by one")
    func dropped() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let claimed = try await claim(50, bench, consumer)
            _ = try await bench.server.cli("CONFIG", "RESETSTAT")
            let ended = claimed.enumerated().filter { ![3, 17].contains($0.offset) }
            _ = try await consumer.settle(ended.map { bench.success($0.element, "m\($0.offset)") })
            let calls = try await bench.server.cli("INFO", "commandstats")
            #expect(!calls.contains("cmdstat_lrem") && calls.contains("cmdstat_ltrim:calls=2,"))
            #expect(try await held(bench, consumer) == [claimed[3].payload, claimed[17].payload])
            await consumer.close()
        }
    }

    @Test("of a list that others have been at, each message is settled for itself, and what is gone is fenced")
    func disturbed() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let claimed = try await claim(6, bench, consumer)
            let list = "chard:{celery}:leased:0:\(consumer.identity)"
            let client = try bench.broker().client
            // One is gone, and something else has come in: the newest of the oldest five is not in its place.
            _ = try await client.send(RedisCommand("LREM", list, 1, claimed[1].payload))
            _ = try await client.send(RedisCommand("RPUSH", list, "other", "another"))
            let receipts = try await consumer.settle((0..<5).map { bench.success(claimed[$0], "m\($0)") })
            #expect(receipts == [.settled, .fenced, .settled, .settled, .settled])
            #expect(try await bench.broker().status(of: "m1") == nil)
            #expect(try await bench.broker().status(of: "m4")?.state == .success)
            let left = try await held(bench, consumer)
            #expect(left == [Array("another".utf8), Array("other".utf8), claimed[5].payload])
            // Doubt does not last: once nothing of then is held any more, the next are dropped by count again.
            _ = try await client.send(RedisCommand("LREM", list, 0, "other"))
            _ = try await client.send(RedisCommand("LREM", list, 0, "another"))
            #expect(try await consumer.settle([bench.success(claimed[5], "m5")]) == [.settled])
            let next = try await claim(6, bench, consumer)
            _ = try await bench.server.cli("CONFIG", "RESETSTAT")
            let second = try await consumer.settle(next.enumerated().map { bench.success($0.element, "n\($0.offset)") })
            #expect(second.allSatisfy { $0 == .settled })
            #expect(try await bench.server.cli("INFO", "commandstats").contains("cmdstat_lrem") == false)
            await consumer.close()
        }
    }

    @Test("where a pop brought the last message no script asks for more; where it left others, they all come at once")
    func rest() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let broker = try bench.broker()
            func next(_ messages: [OutgoingMessage]) async throws -> [Delivery] {
                async let claimed = consumer.claim(upTo: 8)
                try await eventually("it waits") { try await bench.blockingPops() == 1 }
                try await broker.send(messages)
                return try await claimed
            }
            func scripts() async throws -> Int {
                let calls = try await bench.server.cli("INFO", "commandstats").split(separator: "\n")
                    .first { $0.hasPrefix("cmdstat_evalsha:calls=") }
                return calls?.split(separator: "=").dropFirst().first?.split(separator: ",").first.flatMap { Int($0) }
                    ?? 0
            }
            _ = try await next([bench.message("t")])
            let before = try await scripts()
            let start = ContinuousClock.now
            var singles = 0
            while singles < 20 {
                let claimed = try await next([bench.message("t", .integer(singles))])
                if !claimed.isEmpty { singles += 1 }
            }
            // One for each second that it took, for the orders, and what looks for lost processes and what is due.
            let most = Int((.now - start) / .seconds(1)) * 4 + 5
            #expect(try await scripts() - before <= most)

            let first = try await next((0..<6).map { bench.message("t", .integer($0)) })
            #expect(first.count == 6)
            await consumer.close()
        }
    }

    @Test("what a lost reply may have moved is looked for once more when the time for it is over")
    func lastLook() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let message = bench.message("t")
            let list = "chard:{celery}:leased:0:\(consumer.identity)"
            _ = try await bench.broker().client.send(RedisCommand("LPUSH", list, message.payload))
            await consumer.core.run { $0.machine.suspicion.arises(at: .now - Suspicion().length - .seconds(1)) }
            #expect(try await consumer.claim(upTo: 1).map(\.payload) == [message.payload])
            await consumer.close()
        }
    }

    @Test("without the lease nothing of a batch is written")
    func fenced() async throws {
        try await BrokerBench.with { bench in
            let consumer = try await bench.consumer()
            let claimed = try await claim(6, bench, consumer)
            _ = try await bench.server.cli("DEL", "chard:{celery}:leased:0:\(consumer.identity)")
            let receipts = try await consumer.settle(
                claimed.enumerated().map { bench.success($0.element, "m\($0.offset)") })
            #expect(receipts.allSatisfy { $0 == .fenced })
            #expect(try await bench.broker().status(of: "m0") == nil)
            await consumer.close()
        }
    }
}
