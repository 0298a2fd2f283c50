// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@testable import ChardRedis

/// Whatever the server refuses in the middle of a script, the message that the script takes away is still there.
@Suite("Scripts that are refused on a Redis server", .atOnce(4), .timeLimit(.minutes(5)))
struct RefusalTests {
    /// A right that the server's user loses, and how to give it back.
    struct Right: Sendable, CustomTestStringConvertible {
        let loss: [String]
        let gain: [String]
        var testDescription: String { loss.joined(separator: " ") }

        static func command(_ name: String) -> Right { Right(loss: ["-\(name)"], gain: ["+\(name)"]) }

        static let all =
            [
                "lpush", "rpush", "lpos", "lrem", "llen", "lindex", "lset", "ltrim", "zadd", "zrange", "zcard", "hset",
                "hexists", "set", "get", "publish", "time", "pexpire", "mget", "sismember", "sadd", "zrem", "unlink",
                "pttl", "zmscore",
            ].map(command) + [
                Right(loss: ["resetchannels"], gain: ["allchannels"]),
                Right(
                    loss: ["resetkeys", "~celery*", "~chard:{celery}*", "~chard:h*", "~chard:o*"], gain: ["allkeys"]),
            ]

        /// Those of the keys of joins, each without the others.
        static let ofJoins = ["c", "j", "d", "s", "t"].map { kind in
            let others = "cjdst".filter { String($0) != kind }
            return Right(
                loss: [
                    "resetkeys", "~celery", "~next", "~chard*", "~celery-task-*", "~celery-taskset-meta-?",
                    "~celery-taskset-meta-?.[\(others)]",
                ],
                gain: ["allkeys"])
        }
    }

    private func change(_ rules: [String], _ bench: BrokerBench) async throws {
        for rule in rules {
            #expect(try await bench.server.cli("ACL", "SETUSER", "default", rule).hasPrefix("OK"))
        }
    }

    @Test("a settlement of every kind leaves its message where it is, or is written whole", arguments: Right.all)
    func settlements(_ right: Right) async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await bench.consumer()
            let names = ["a", "b", "c", "d", "e", "f", "g"]
            try await broker.send(names.map { OutgoingMessage(id: $0, queue: "celery", payload: Array($0.utf8)) })
            var held: [Delivery] = []
            while held.count < names.count { held += try await consumer.claim(upTo: names.count) }
            func status(_ index: Int, _ state: TaskState) -> StatusRecord {
                StatusRecord(TaskStatus(id: names[index], state: state), timeToLive: .seconds(60))
            }
            let letter = DeadLetter(
                id: "d", taskID: "d", task: "t", queue: "celery", reason: .rejected, error: "no", attempts: 1,
                worker: "w", diedAt: .now, payload: held[3].payload)
            func next(_ index: Int, dueAt: Date? = nil) -> OutgoingMessage {
                OutgoingMessage(id: names[index], queue: "next", dueAt: dueAt, payload: Array(names[index].utf8))
            }
            // Two plain successes dropped by count over one that stays, and one settlement of each kind.
            let settlements = [
                [
                    Settlement(held[0], [.store(status(0, .success))]),
                    Settlement(held[2], [.store(status(2, .success))]),
                ],
                [Settlement(held[3], [.store(status(3, .failure)), .bury(letter)])],
                [Settlement(held[4], [.store(status(4, .retry)), .push(next(4, dueAt: Date() + 3_600))])],
                [Settlement(held[5], [.push(next(5)), .putBack(as: nil)])],
                [Settlement(held[6], [.store(status(6, .revoked))])],
            ]
            try await change(right.loss, bench)
            for batch in settlements { _ = try? await consumer.settle(batch) }
            try await change(right.gain, bench)
            func places(of name: String) async throws -> [String] {
                let key = "chard:{celery}:leased:0:\(consumer.identity)"
                let leased = try await bench.server.cli("LRANGE", key, "0", "-1").split(separator: "\n")
                let waiting = try await bench.server.cli("LRANGE", "celery", "0", "-1").split(separator: "\n")
                let next = try await bench.server.cli("LRANGE", "next", "0", "-1").split(separator: "\n")
                let later = try await bench.server.cli("HKEYS", "chard:{next}:delayed-messages").split(separator: "\n")
                let dead = try await bench.server.cli("HKEYS", "chard:{celery}:dead-messages").split(separator: "\n")
                return [("leased", leased), ("waiting", waiting), ("next", next), ("later", later), ("dead", dead)]
                    .flatMap { place, found in found.filter { $0 == name }.map { _ in place } }
            }
            // Each is still held with nothing written besides, or settled whole.
            #expect([["leased"], []].contains(try await places(of: "a")))
            #expect([["leased"]].contains(try await places(of: "b")))
            #expect([["leased"], []].contains(try await places(of: "c")))
            #expect([["leased"], ["dead"]].contains(try await places(of: "d")))
            #expect([["leased"], ["later"]].contains(try await places(of: "e")))
            #expect([["leased"], ["waiting", "next"]].contains(try await places(of: "f")))
            #expect([["leased"], []].contains(try await places(of: "g")))
            for batch in settlements {
                for receipt in try await consumer.settle(batch) { #expect([.settled, .fenced].contains(receipt.end)) }
            }
            #expect(try await places(of: "a") == [])
            #expect(try await places(of: "b") == ["leased"])
            #expect(try await places(of: "c") == [])
            #expect(try await places(of: "d") == ["dead"])
            #expect(try await places(of: "e") == ["later"])
            #expect(try await places(of: "f") == ["waiting", "next"])
            #expect(try await places(of: "g") == [])
            #expect(try await broker.status(of: "a")?.state == .success)
            #expect(try await broker.status(of: "d")?.state == .failure)
            await consumer.close()
        }
    }

    @Test("an end is counted and what follows it sent, or neither", arguments: Right.all + Right.ofJoins)
    func ends(_ right: Right) async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await bench.consumer()
            let names = ["a", "b", "c", "d"]
            try await broker.send(names.map { OutgoingMessage(id: $0, queue: "celery", payload: Array($0.utf8)) })
            var held: [Delivery] = []
            while held.count < names.count { held += try await consumer.claim(upTo: names.count) }
            func opening(_ group: String, _ size: Int) -> JoinOpening {
                JoinOpening(group: group, size: size, members: Array(group.utf8), timeToLive: .seconds(60))
            }
            func part(_ name: String, of group: String, isSuccess: Bool = true, closing: JoinPart.Closing? = nil)
                -> JoinPart
            {
                let end = Array(#"[1, "\#(name)", "\#(isSuccess ? "SUCCESS" : "FAILURE")", 1]"#.utf8)
                return JoinPart(
                    group: group, member: name, index: 0, isSuccess: isSuccess, end: end, timeToLive: .seconds(60),
                    closing: closing)
            }
            /// What comes of an end besides it.
            func effects(_ index: Int, _ join: Effect) -> Settlement {
                let name = names[index]
                return Settlement(
                    held[index],
                    [
                        .store(StatusRecord(TaskStatus(id: name, state: .success), timeToLive: .seconds(60))), join,
                        .push(OutgoingMessage(id: name, queue: "next", payload: Array(name.utf8))),
                    ])
            }
            // One end that counts over a failure, one that closes its join, one that closes it as failed, and one that opens
            // another anew.
            try await broker.open([opening("g", 3), opening("f", 1), opening("o", 1), opening("h", 8)])
            _ = try await broker.join(part("a", of: "g", isSuccess: false))
            _ = try await broker.join(part("z", of: "h"))
            let settlements = [
                effects(0, .join(part("a", of: "g"))), effects(1, .join(part("b", of: "f", closing: .success))),
                effects(2, .join(part("c", of: "o", closing: .failure))), effects(3, .open(opening("h", 2))),
            ]
            func isWritten(_ index: Int) async throws -> Bool {
                let key = "celery-taskset-meta-"
                switch index {
                case 0: return try await broker.ends(of: "g") == [part("a", of: "g").end]
                case 1: return try await bench.server.cli("EXISTS", key + "f.c") == "1"
                case 2:
                    let claim = try await bench.server.cli("GET", key + "o.c")
                    let ends = try await broker.ends(of: "o")
                    #expect(ends == (claim == "done" ? [part("c", of: "o").end] : []))
                    let counted = try await bench.server.cli("SMEMBERS", key + "o.d")
                    #expect(counted == (claim == "done" ? "c:0" : ""))
                    return claim == "done"
                default:
                    let size = try await bench.server.cli("GET", key + "h.s")
                    if size == "8" { #expect(try await broker.ends(of: "h").count == 1) }
                    return size == "2"
                }
            }
            func count(of name: String, in list: String) async throws -> Int {
                try await bench.server.cli("LRANGE", list, "0", "-1").split(separator: "\n").count { $0 == name }
            }
            let leased = "chard:{celery}:leased:0:\(consumer.identity)"
            try await change(right.loss, bench)
            for settlement in settlements { _ = try? await consumer.settle([settlement]) }
            try await change(right.gain, bench)
            for (index, name) in names.enumerated() {
                let (isHeld, follows) = (try await count(of: name, in: leased), try await count(of: name, in: "next"))
                #expect(isHeld + follows == 1, "\(name)")
                #expect(try await isWritten(index) == (follows == 1), "\(name)")
            }
            for settlement in settlements {
                for receipt in try await consumer.settle([settlement]) {
                    #expect([.settled, .fenced].contains(receipt.end))
                }
            }
            for (index, name) in names.enumerated() {
                #expect(try await count(of: name, in: leased) == 0)
                #expect(try await count(of: name, in: "next") == 1)
                #expect(try await isWritten(index))
            }
            #expect(try await broker.ends(of: "h") == [])
            await consumer.close()
        }
    }

    @Test(
        "members of a join that end together are each counted and stored, or held", arguments: Right.all + Right.ofJoins
    )
    func members(_ right: Right) async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await bench.consumer()
            let names = (10..<40).map { "m\($0)" }
            try await broker.send(names.map { OutgoingMessage(id: $0, queue: "celery", payload: Array($0.utf8)) })
            var held: [Delivery] = []
            while held.count < names.count { held += try await consumer.claim(upTo: names.count) }
            try await broker.open([JoinOpening(group: "g", size: 100, timeToLive: .seconds(60))])
            // One that stays is among the oldest.
            let settlements = zip(names, held).enumerated().filter { $0.offset != 3 }.map { place, member in
                let (name, delivery) = member
                let part = JoinPart(
                    group: "g", member: name, index: place, isSuccess: true,
                    end: Array(#"[1, "\#(name)", "SUCCESS", 1]"#.utf8), timeToLive: .seconds(60))
                return Settlement(
                    delivery,
                    [
                        .store(StatusRecord(TaskStatus(id: name, state: .success), timeToLive: .seconds(60))),
                        .join(part),
                    ])
            }
            try await change(right.loss, bench)
            _ = try? await consumer.settle(settlements)
            try await change(right.gain, bench)
            func lines(_ words: String...) async throws -> Set<String> {
                Set(try await bench.server.cli(words).split(separator: "\n").map(String.init))
            }
            let leased = try await lines("LRANGE", "chard:{celery}:leased:0:\(consumer.identity)", "0", "-1")
            let counted = try await lines("SMEMBERS", "celery-taskset-meta-g.d")
            let ends = try await broker.ends(of: "g").count
            #expect(leased.contains(names[3]))
            #expect(counted.count == names.count - leased.count && ends == counted.count)
            for receipt in try await consumer.settle(settlements) {
                #expect([.settled, .fenced].contains(receipt.end))
            }
            #expect(try await broker.ends(of: "g").count == names.count - 1)
            #expect(
                try await bench.server.cli("LRANGE", "chard:{celery}:leased:0:\(consumer.identity)", "0", "-1")
                    == names[3])
            for name in names where name != names[3] {
                #expect(try await broker.status(of: name)?.state == .success)
            }
            await consumer.close()
        }
    }

    @Test(
        "keys of another type are refused, and what was refused can be written once they are mended",
        arguments: ["next", "chard:{next}:delayed-messages"])
    func types(_ key: String) async throws {
        try await BrokerBench.with { bench in
            let broker = try bench.broker()
            let consumer = try await bench.consumer()
            try await broker.send([OutgoingMessage(id: "a", queue: "celery", payload: Array("a".utf8))])
            let delivery = try #require(try await consumer.claim(upTo: 1).first)
            _ = try await bench.server.cli("SET", key, "no list")
            let isLater = key != "next"
            let follower = OutgoingMessage(
                id: "f", queue: "next", dueAt: isLater ? Date() + 3_600 : nil, payload: Array("f".utf8))
            let settlement = Settlement(delivery, [.push(follower)])
            #expect(try await consumer.settle([settlement]).allSatisfy(\.isRefusal))
            let leased = "chard:{celery}:leased:0:\(consumer.identity)"
            #expect(try await bench.server.cli("LRANGE", leased, "0", "-1") == "a")
            _ = try await bench.server.cli("DEL", key)
            #expect(try await consumer.settle([settlement]).map(\.end) == [.settled])
            #expect(try await bench.server.cli("EXISTS", leased) == "0")
            #expect(try await bench.server.cli(isLater ? "HLEN" : "LLEN", key) == "1")
            await consumer.close()
        }
    }

    @Test("a letter that is undone has cost none of those that were there")
    func letters() async throws {
        try await BrokerBench.with { bench in
            var settings = RedisSettings()
            settings.deadLetterLimit = 1
            let broker = try bench.broker(settings)
            let consumer = try await bench.consumer(settings: settings)
            try await broker.send(
                ["1-old", "2-new"].map { OutgoingMessage(id: $0, queue: "celery", payload: Array($0.utf8)) })
            var held: [Delivery] = []
            while held.count < 2 { held += try await consumer.claim(upTo: 2) }
            func letter(_ delivery: Delivery) -> DeadLetter {
                let id = String(decoding: delivery.payload, as: UTF8.self)
                return DeadLetter(
                    id: id, taskID: id, task: "t", queue: "celery", reason: .rejected, error: "no", attempts: 1,
                    worker: "w", diedAt: .now, payload: delivery.payload)
            }
            #expect(try await consumer.settle([Settlement(held[0], [.bury(letter(held[0]))])]).map(\.end) == [.settled])
            _ = try await bench.server.cli("SET", "next", "no list")
            let follower = OutgoingMessage(id: "f", queue: "next", payload: Array("f".utf8))
            let settlement = Settlement(held[1], [.bury(letter(held[1])), .push(follower)])
            #expect(try await consumer.settle([settlement]).allSatisfy(\.isRefusal))
            #expect(try await broker.deadLetters(in: "celery", limit: 9).map(\.id) == ["1-old"])
            _ = try await bench.server.cli("DEL", "next")
            #expect(try await consumer.settle([settlement]).map(\.end) == [.settled])
            #expect(try await broker.deadLetters(in: "celery", limit: 9).map(\.id) == ["2-new"])
            await consumer.close()
        }
    }
}
