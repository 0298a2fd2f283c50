// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardRedis

@Suite("A consumer's machine: claims")
struct ConsumerMachineTests {
    @Test("a busy queue costs one script for each claim, and nothing else")
    func busy() {
        var bench = MachineBench()
        for text in ["a", "b", "c"] {
            #expect(bench.tell(.claim(5)) == ["ask 5"])
            #expect(bench.tell(.asked(.moved([bench.delivery(text)]))) == ["resume \(text)"])
        }
    }

    @Test("where there is nothing a claim waits for pops, and the first message ends it")
    func waiting() {
        var bench = MachineBench()
        bench.tell(.claim(5))
        #expect(bench.tell(.asked(.moved([]))) == (0..<4).map { "connect \($0)" })
        #expect((0..<4).flatMap { bench.tell(.connected(bench.pop($0), true)) } == (0..<4).map { "pop \($0)" })
        #expect(bench.tell(.popped(bench.pop(1), .nothing)) == ["pop 1"])
        #expect(
            bench.tell(.popped(bench.pop(0), .message(Array("a".utf8), isLast: true))) == ["resume a", "recallSoon"])
        // The list is drained and the other pops still wait: only this one is armed again.
        #expect(bench.tell(.claim(5)) == ["pop 0"])
        #expect(bench.tell(.recallDue) == [])
    }

    @Test("where a pop left messages behind, the script is asked for them; so it is after a second, for the orders")
    func afterPop() {
        var bench = MachineBench()
        bench.wait()
        #expect(bench.tell(.popped(bench.pop(0), .message(Array("a".utf8), isLast: false))) == ["ask 4"])
        #expect(bench.tell(.asked(.moved([bench.delivery("more")]))) == ["resume a more", "recallSoon"])
        #expect(bench.tell(.claim(5)) == ["ask 5"])
        bench.tell(.asked(.moved([])))
        bench.tell(.popped(bench.pop(0), .message(Array("b".utf8), isLast: true)))
        bench.pass(.seconds(1.1))
        #expect(bench.tell(.claim(5)) == ["ask 5"])
    }

    @Test("nobody who claims waits for ever: a wake ends the claim, or the next one, and gives what was moved")
    func wake() {
        var bench = MachineBench()
        bench.wait()
        #expect(bench.tell(.wake) == ["resume", "recallSoon"])
        #expect(bench.tell(.wake) == [])
        #expect(bench.tell(.claim(1)) == ["resume"])
        bench.pass(.seconds(2))
        #expect(bench.tell(.claim(1)) == ["ask 1"])
        #expect(bench.tell(.wake) == [])
        #expect(bench.tell(.asked(.moved([bench.delivery("a")]))) == ["resume a"])
        bench.pass(.seconds(2))
        #expect(bench.tell(.claim(1)) == ["ask 1"])
        bench.tell(.wake)
        #expect(bench.tell(.asked(.moved([]))) == ["resume"])
        // That was its own: the next claim waits.
        #expect(bench.tell(.claim(1)) == [])
    }

    @Test("who claims beside another takes its place")
    func second() {
        var bench = MachineBench()
        bench.tell(.claim(5))
        #expect(bench.tell(.claim(1)) == [])
        let both = [bench.delivery("a"), bench.delivery("b")]
        #expect(bench.tell(.asked(.moved(both))) == ["resume a", "recallSoon"])
        #expect(bench.tell(.claim(1)) == ["resume b"])
    }

    @Test("what was caught while nobody claims is called back with the other pops, unless a claim comes first")
    func recall() {
        var bench = MachineBench()
        bench.wait()
        bench.tell(.wake)
        #expect(bench.tell(.popped(bench.pop(2), .message(Array("a".utf8), isLast: true))) == [])
        #expect(bench.tell(.recallDue) == ["unblock 0 1 3", "handBack a"])
        #expect(bench.tell(.popped(bench.pop(3), .message(Array("b".utf8), isLast: true))) == ["recallSoon"])
        #expect(bench.tell(.claim(1)) == ["resume b"])
        bench.pass(.seconds(1.1))
        #expect(bench.tell(.claim(1)) == ["ask 1"])
        #expect(bench.tell(.recallDue) == [])
    }

    @Test("a failed script is tried again after a look through the lists; one that cannot succeed ends the claim")
    func failing() {
        var bench = MachineBench()
        bench.tell(.claim(5))
        #expect(bench.tell(.asked(.failed(.lost))) == ["pause"])
        #expect(bench.tell(.pauseOver) == ["look q 0"])
        #expect(bench.tell(.looked(.failure(.lost))) == ["pause"])
        #expect(bench.tell(.wake) == ["resume"])
        #expect(bench.tell(.pauseOver) == [])
        #expect(bench.tell(.claim(5)) == ["look q 0"])
        for list in ["q:3", "q:6", "q:9"] { #expect(bench.tell(.looked(.success([]))) == ["look \(list) 0"]) }
        #expect(bench.tell(.looked(.success([]))) == ["ask 5"])
        #expect(bench.tell(.asked(.failed(.wrong))) == ["fail damaged"])
    }

    @Test("a server that refuses is told of once for each reason")
    func refusal() {
        var bench = MachineBench()
        let full = RedisError(code: .outOfMemory, message: "OOM")
        bench.tell(.claim(5))
        #expect(bench.tell(.asked(.failed(full))) == ["report refused", "pause"])
        bench.tell(.pauseOver)
        for _ in 0..<4 { bench.tell(.looked(.success([]))) }
        #expect(bench.tell(.asked(.failed(full))) == ["pause"])
    }

    // MARK: Large messages

    /// A claim that found large messages in a list whose pop has a connection.
    private func large(_ queues: [String] = ["q"]) -> MachineBench {
        var bench = MachineBench(queues)
        bench.tell(.claim(2))
        let deliveries = ["a", "b"].map { bench.delivery($0, size: 20_000) }
        #expect(bench.tell(.asked(.moved(deliveries))) == ["connect 0", "resume a b"])
        #expect(bench.tell(.connected(bench.pop(0), true)) == [])
        return bench
    }

    private func answer(_ texts: [String], _ bench: MachineBench, orders: Int = 0, isLeaseHeld: Bool = true)
        -> TakeAnswer
    {
        TakeAnswer(
            deliveries: texts.map { bench.delivery($0, size: 20_000) }, isLeaseHeld: isLeaseHeld, orders: orders,
            hasRivals: false)
    }

    @Test("large messages are taken without a script for as long as they come as they should")
    func taking() {
        var bench = large()
        #expect(bench.tell(.claim(2)) == ["take 2"])
        #expect(bench.tell(.taken(bench.pop(0), answer(["c", "d"], bench))) == ["resume c d"])
        #expect(bench.tell(.claim(2)) == ["take 2"])
        #expect(bench.tell(.taken(bench.pop(0), answer(["e"], bench))) == ["resume e"])
        #expect(bench.tell(.claim(2)) == ["ask 2"])
    }

    @Test("where none was left, or the connection is not there yet, the script is asked after all")
    func takingNothing() {
        var bench = large()
        bench.tell(.claim(2))
        #expect(bench.tell(.taken(bench.pop(0), answer([], bench))) == ["ask 2"])
        var other = MachineBench()
        other.tell(.claim(2))
        other.tell(.asked(.moved(["a", "b"].map { other.delivery($0, size: 20_000) })))
        #expect(other.tell(.claim(2)) == ["ask 2"])
    }

    @Test("those taken under older orders wait until these are known, and go back if their queue is paused")
    func takingPaused() {
        var bench = large()
        bench.tell(.claim(2))
        #expect(bench.tell(.taken(bench.pop(0), answer(["c", "d"], bench, orders: 1))) == ["readOrders"])
        #expect(
            bench.tell(.ordersRead(.success(KnownOrders(1, paused: ["q"])))) == [
                "handBack c d", "acknowledge 1",
            ])
        var other = large()
        other.tell(.claim(2))
        other.tell(.taken(other.pop(0), answer(["c", "d"], other, orders: 1)))
        #expect(other.tell(.ordersRead(.success(KnownOrders(1)))) == ["resume c d"])
    }

    @Test("those taken while the orders cannot be read are kept for the next claim")
    func takingUnread() {
        for isWoken in [true, false] {
            var bench = large()
            bench.tell(.claim(2))
            bench.tell(.taken(bench.pop(0), answer(["c", "d"], bench, orders: 1)))
            if isWoken {
                #expect(bench.tell(.wake) == ["resume", "recallSoon"])
            } else {
                #expect(bench.tell(.ordersRead(.failure(.unknown))) == ["fail damaged", "recallSoon"])
            }
            #expect(bench.tell(.claim(2)) == ["resume c d"])
        }
    }

    @Test("a connection that ends while they come makes the lists suspect; a lease that is gone ends the claim")
    func takingLost() {
        var bench = large()
        bench.tell(.claim(2))
        #expect(bench.tell(.taken(bench.pop(0), nil)) == ["rest 0", "look q 0"])
        var other = large()
        other.tell(.claim(2))
        #expect(
            other.tell(.taken(other.pop(0), answer(["c"], other, isLeaseHeld: false))) == [
                "tellLoss", "fail leaseLost",
            ])
    }
}
