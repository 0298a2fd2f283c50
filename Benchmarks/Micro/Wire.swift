// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import Chard
import FoundationEssentials
import NIOCore

@testable import ChardRedis

/// What goes to a Redis server and comes from it.
func wireBenchmarks() throws -> [Benchmark?] {
    let deliveries = try (1...batchCount).map(Sample.delivery)
    let settlement = try SettlementSample(deliveries)
    let connection = try Connection()
    let pushed = ByteBuffer(string: ":1\r\n")
    // A command has the form of a reply that is a list of texts.
    var list = RedisCommand("LPUSH", "celery")
    list.append(contentsOf: deliveries.map(\.payload))
    let claimed = ByteBuffer([list])
    return [
        measure("Settle", messages: batchCount) { settlement.command() },
        measure("RESPPush") {
            try connection.exchange(RedisCommand("LPUSH", "celery", deliveries[0].payload), pushed)
        },
        measure("RESPClaim", messages: batchCount) {
            try connection.exchange(RedisScript.claim.command(keys: ["celery"], batchCount), claimed)
        },
    ]
}

/// A batch of tasks that simply succeeded, all that its process holds.
private struct SettlementSample {
    let deliveries: [Delivery]
    let cut: LeasedList.Cut?
    let broker: RedisBroker
    let now = Date(timeIntervalSince1970: 1_763_800_000.123_456)

    init(_ deliveries: [Delivery]) throws {
        self.deliveries = deliveries
        broker = RedisBroker(try RedisURL("redis://localhost"))
        var list = LeasedList()
        for delivery in deliveries { list.add(delivery) }
        // Here, not in what is measured: called from another module, it is not specialized, and allocates what it otherwise
        // would not.
        cut = list.cut(deliveries)
    }

    /// What the worker sends: the statuses, and the command that settles.
    func command() -> RedisCommand {
        let settlements = deliveries.map { delivery in
            var status = TaskStatus(id: "81ddf2ad-828e-4f24-b2d5-c460bdf44ca8", state: .success, result: [0x35])
            status.dateDone = now
            return Settlement(delivery, Effects(storing: StatusRecord(status, timeToLive: .seconds(86_400))))
        }
        let seconds = now.timeIntervalSince1970
        return SettleCommand(settlements, identity: "micro", server: broker.server, now: seconds) { _, _ in cut }
            .command
    }
}

/// A connection without a server: formats what would be sent and reads what is given as the answer.
private final class Connection {
    private var reader: ReplyReader

    init() throws { reader = try ReplyReader() }

    func exchange(_ command: RedisCommand, _ answer: ByteBuffer) throws -> RESPValue? {
        blackHole(ByteBuffer([command]))
        var answer = answer
        while answer.readableBytes > 0 {
            try reader.feed(from: &answer)
            if let reply = try reader.next() { return reply }
        }
        return nil
    }
}
