// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials
import TestServers
import Testing

/// Celery's own backend ends some members of a chord, we the others, on the same keys.
@Suite("Joins with Celery", .serialized, .timeLimit(.minutes(2)))
struct JoinTests {
    private func with(_ body: (RedisServer, RedisBroker) async throws -> Void) async throws {
        try await RedisServer.with { server in
            let broker = RedisBroker(try RedisURL(server.url))
            try await body(server, broker)
            await broker.shutdown()
        }
    }

    /// What Celery does for the chord `g`.
    private func celery(_ server: RedisServer, size: Int? = nil, ends: [JSON] = []) async throws {
        var arguments = ["chord", "g"]
        if let size { arguments += ["--size", "\(size)"] }
        for end in ends { arguments += ["--end", String(decoding: end.encoded(), as: UTF8.self)] }
        let program = try Program.peer(arguments, redis: server.url)
        try await program.finished(within: .seconds(60))
        #expect(try JSON(parsing: Array(program.output.utf8))["ok"] == true, "\(program.talk)")
    }

    private func part(
        _ member: String, _ index: Int?, isSuccess: Bool = true, closing: JoinPart.Closing? = nil
    ) -> JoinPart {
        let end: JSON = [1, .string(member), isSuccess ? "SUCCESS" : "FAILURE", .string("ours")]
        return JoinPart(
            group: "g", member: member, index: index, isSuccess: isSuccess, end: end.encoded(),
            timeToLive: .seconds(600), closing: closing)
    }

    private func ends(_ broker: RedisBroker) async throws -> [JSON] {
        try await broker.ends(of: "g").map { try JSON(parsing: $0) }
    }

    private func bodies(_ server: RedisServer) async throws -> [TaskMessage] {
        try await server.cli("LRANGE", "bodies", "0", "-1").split(separator: "\n")
            .map { try TaskMessage(decoding: Array($0.utf8)) }
    }

    /// What there is of the chord but its members: the last letters of the keys.
    private func left(_ server: RedisServer) async throws -> [String] {
        var left: [String] = []
        for kind in ["c", "d", "j", "s", "t"] {
            if try await server.cli("EXISTS", "celery-taskset-meta-g.\(kind)") == "1" { left.append(kind) }
        }
        return left
    }

    @Test("Celery opens, both end members, and Celery sends the body with all results once the last one is its own")
    func celeryLast() async throws {
        try await with { server, broker in
            try await celery(server, size: 4)
            #expect(try await broker.join(part("a", 0)) == .counted(1, of: 4))
            #expect(try await broker.join(part("žluť\"ý", nil)) == .counted(2, of: 4))
            // Ours that come again count once for Celery, as Celery's do for us.
            try await celery(
                server,
                ends: [["a", 0, "SUCCESS", "theirs"], ["žluť\"ý", .null, "SUCCESS", 0], ["b", 1, "SUCCESS", 7]])
            #expect(try await broker.join(part("b", 1)) == .counted(3, of: 4))
            #expect(try await bodies(server).isEmpty)
            try await celery(server, ends: [["c", 2, "SUCCESS", [8]]])
            let body = try #require(try await bodies(server).first)
            #expect(try body.decodeBody().arguments().positional == [["ours", 7, [8], "ours"]])
            #expect(try await broker.join(part("a", 0)) == .late)
            #expect(try await left(server) == ["c"])
        }
    }

    @Test("we open, both end members, and Celery's duplicates send nothing once we have sent what follows")
    func ourLast() async throws {
        try await with { server, broker in
            try await broker.open([JoinOpening(group: "g", size: 2, timeToLive: .seconds(600))])
            try await celery(server, ends: [["a", 0, "SUCCESS", 1]])
            #expect(try await broker.join(part("b", 1)) == .last)
            #expect(try await ends(broker) == [[1, "a", "SUCCESS", 1]])
            // More were added by a task that grew its chord.
            try await server.cli("INCRBY", "celery-taskset-meta-g.t", "1")
            #expect(try await broker.join(part("b", 1, closing: .success)) == .early)
            #expect(try await broker.join(part("b", 1)) == .counted(2, of: 3))
            #expect(try await broker.join(part("c", 2, closing: .success)) == .closed)
            try await celery(server, ends: [["a", 0, "SUCCESS", 1], ["c", 2, "SUCCESS", 1]])
            #expect(try await bodies(server).isEmpty)
            #expect(try await left(server) == ["c"])
            #expect(try await server.cli("GET", "celery-taskset-meta-g.c") == "done")
        }
    }

    @Test("an end of Celery's that was a failure gives way to a success of ours")
    func mended() async throws {
        try await with { server, broker in
            try await broker.open([JoinOpening(group: "g", size: 3, timeToLive: .seconds(600))])
            try await celery(server, ends: [["žluť\"ý", 0, "FAILURE", "no"], ["b", .null, "FAILURE", "no"]])
            #expect(try await broker.join(part("c", 2, isSuccess: false, closing: .failure)) == .closed)
            #expect(try await broker.join(part("c", 2, isSuccess: false)) == .late)
            // Each comes to an end of its own, for as long as one has failed.
            #expect(try await broker.join(part("žluť\"ý", 0, closing: .failure)) == .closed)
            #expect(try await broker.join(part("b", nil, closing: .failure)) == .closed)
            try await celery(server, ends: [["c", 2, "SUCCESS", 1]])
            #expect(try await broker.join(part("c", 2)) == .last)
            let states = try await ends(broker).map { $0[2] }
            #expect(states == ["SUCCESS", "FAILURE", "SUCCESS"])
            #expect(try await broker.join(part("c", 2, closing: .success)) == .closed)
            #expect(try await bodies(server).isEmpty)
        }
    }

    @Test("a member that ends twice, with other results, counts once, for Celery 5.7 as for us")
    func endsTwice() async throws {
        try await with { server, broker in
            try await celery(server, size: 3, ends: [["a", 0, "SUCCESS", 1], ["a", 0, "SUCCESS", 2]])
            #expect(try await broker.join(part("a", 0)) == .counted(1, of: 3))
            #expect(try await broker.join(part("b", 1)) == .counted(2, of: 3))
            try await celery(server, ends: [["b", 1, "SUCCESS", 3]])
            #expect(try await bodies(server).isEmpty)
            try await celery(server, ends: [["c", 2, "SUCCESS", 4]])
            let body = try #require(try await bodies(server).first)
            #expect(try body.decodeBody().arguments().positional == [[1, "ours", 4]])
        }
    }

    @Test("while a Celery worker sends what follows nobody else does")
    func claimed() async throws {
        try await with { server, broker in
            try await broker.open([JoinOpening(group: "g", size: 2, timeToLive: .seconds(600))])
            #expect(try await broker.join(part("a", 0)) == .counted(1, of: 2))
            try await server.cli("SET", "celery-taskset-meta-g.c", "a token", "PX", "500")
            #expect(try await broker.join(part("b", 1)) == .claimed)
            #expect(try await broker.join(part("b", 1, closing: .success)) == .claimed)
            #expect(try await ends(broker).count == 1)
            try await eventually("the claim has expired") { try await broker.join(part("b", 1)) == .last }
        }
    }
}
