// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import ChardRedis

@Suite("Which reply belongs to whom, and when a connection counts as lost")
struct ConnectionMachineTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func ready(idle: TimeAmount? = .seconds(4)) -> ConnectionMachine {
        var machine = ConnectionMachine(
            openUntil: start + .seconds(5), now: start,
            limits: .init(read: .seconds(8), idle: idle, ping: .seconds(5)))
        machine.opened()
        return machine
    }

    private func batch(_ names: String..., blockFor: Duration? = nil) throws -> RedisBatch {
        RedisBatch(names.map { RedisCommand($0) }, blockFor: blockFor)
    }

    @Test("Replies go to the batches in their order, each batch at once")
    func order() throws {
        var machine = ready()
        let first = try batch("A", "B")
        let second = try batch("C")
        #expect(machine.expectReplies(to: first, now: start) == true)
        #expect(machine.expectReplies(to: second, now: start) == true)
        var done: [(RedisBatch, [RESPValue])] = []
        for number in 1...3 {
            switch machine.received(.integer(number)) {
            case .complete(let batch, let replies): done.append((batch, replies))
            case .partial: #expect(number == 1)
            default: Issue.record("neither part nor whole of a batch")
            }
        }
        #expect(done.map { $0.0 === first } == [true, false])
        #expect(done.map { $0.1.compactMap(\.integer) } == [[1, 2], [3]])
        guard case .unexpected = machine.received(.integer(4)) else {
            Issue.record("a fourth reply was expected by nobody")
            return
        }
    }

    @Test("An error is one of the replies, and names its command")
    func errorReply() throws {
        var machine = ready()
        _ = machine.expectReplies(
            to: RedisBatch([RedisCommand("GET", "a"), RedisCommand("LPOP", "b")]), now: start)
        _ = machine.received(.null)
        guard case .complete(_, let replies) = machine.received(.error(RedisError(reply: "WRONGTYPE x"))) else {
            Issue.record("the batch is not complete")
            return
        }
        #expect(replies.last?.error?.command == "LPOP")
        #expect(replies.last?.error?.key == "b")
    }

    @Test("The end of the connection gives everybody back, with the first command that has no answer")
    func close() throws {
        var machine = ready()
        _ = machine.expectReplies(to: try batch("A", "B"), now: start)
        _ = machine.expectReplies(to: try batch("C"), now: start)
        _ = machine.received(.integer(1))
        let orphans = machine.close(.closed)
        #expect(orphans.map(\.unanswered.name) == ["B", "C"])
        #expect(machine.close(.timedOut).isEmpty)
        #expect(machine.phase == .closed(.closed))
        #expect(machine.expectReplies(to: try batch("D"), now: start) == false)
        #expect(machine.deadline == nil)
    }

    @Test("Silence is measured only while a reply is awaited, from the last byte on")
    func readDeadline() throws {
        var machine = ready(idle: nil)
        #expect(machine.deadline == nil)
        _ = machine.expectReplies(to: try batch("A", "B"), now: start + .seconds(100))
        #expect(machine.deadline == start + .seconds(108))
        _ = machine.expectReplies(to: try batch("C"), now: start + .seconds(105))
        #expect(machine.deadline == start + .seconds(108))
        machine.heard(now: start + .seconds(106))
        #expect(machine.deadline == start + .seconds(114))
        #expect(machine.timeout(now: start + .seconds(113)) == .none)
        #expect(machine.timeout(now: start + .seconds(114)) == .close(.timedOut))
    }

    @Test("A blocking command may be silent for as long as it blocks besides")
    func blockingDeadline() throws {
        var machine = ready()
        _ = machine.expectReplies(to: try batch("BLMOVE", blockFor: .seconds(60)), now: start)
        #expect(machine.deadline == start + .seconds(68))
        _ = machine.received(.null)
        _ = machine.expectReplies(to: try batch("A"), now: start + .seconds(30))
        #expect(machine.deadline == start + .seconds(38))
    }

    @Test("A quiet connection is asked for a sign of life, and is lost within nine seconds without one")
    func ping() throws {
        var machine = ready()
        #expect(machine.deadline == start + .seconds(4))
        #expect(machine.timeout(now: start + .seconds(4)) == .ping)
        machine.pinged(with: try batch("PING"), now: start + .seconds(4))
        #expect(machine.deadline == start + .seconds(9))
        #expect(machine.timeout(now: start + .seconds(9)) == .close(.timedOut))
        machine.heard(now: start + .seconds(8))
        _ = machine.received(.string(Array("PONG".utf8)))
        #expect(machine.deadline == start + .seconds(12))
    }

    @Test("A sign of life has its place among the replies")
    func pingOrder() throws {
        var machine = ready()
        machine.pinged(with: try batch("PING"), now: start)
        let next = try batch("A")
        _ = machine.expectReplies(to: next, now: start)
        guard case .complete(let first, _) = machine.received(.string(Array("PONG".utf8))),
            case .complete(let second, let replies) = machine.received(.integer(1))
        else {
            Issue.record("two replies complete two batches")
            return
        }
        #expect(first !== next)
        #expect(second === next)
        #expect(replies.first?.integer == 1)
    }

    @Test("Opening has a deadline of its own, whatever is heard meanwhile")
    func opening() throws {
        var machine = ConnectionMachine(
            openUntil: start + .seconds(5), now: start,
            limits: .init(read: .seconds(8), idle: .seconds(4), ping: .seconds(5)))
        machine.heard(now: start + .seconds(4))
        #expect(machine.deadline == start + .seconds(5))
        #expect(machine.timeout(now: start + .seconds(5)) == .close(.timedOut))
        machine.opened()
        #expect(machine.deadline == start + .seconds(8))
    }

    @Test("On a subscribed connection everything is a push, and silence asks for a sign of life")
    func subscribed() throws {
        var machine = ready()
        machine.subscribe()
        guard case .push(.integer(1)) = machine.received(.integer(1)) else {
            Issue.record("a reply on a subscribed connection is a push")
            return
        }
        #expect(machine.timeout(now: start + .seconds(4)) == .ping)
        machine.pinged(with: try batch("PING"), now: start + .seconds(4))
        #expect(machine.timeout(now: start + .seconds(9)) == .close(.timedOut))
        guard case .push = machine.received(.array([])) else {
            Issue.record("the answer to a sign of life is a push, too")
            return
        }
        #expect(machine.close(.closed).isEmpty)
    }
}
