// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardRedis

@Suite("A consumer's machine: orders, lost replies, the lease and the end")
struct ConsumerMachineTroubleTests {
    // MARK: Orders

    @Test("a claim that does not know the present orders learns them first")
    func learning() {
        var bench = MachineBench()
        bench.tell(.claim(5))
        #expect(bench.tell(.asked(.otherOrders(1))) == ["readOrders"])
        #expect(bench.tell(.ordersRead(.failure(.lost))) == ["pauseOrders"])
        #expect(bench.tell(.ordersPauseOver) == ["readOrders"])
        #expect(bench.tell(.ordersRead(.success(KnownOrders(1)))) == ["ask 5"])
        #expect(bench.machine.orders.number == 1)
    }

    @Test("a change that is told while the orders are read has them read again, and the claim waits for that")
    func outdated() {
        var bench = MachineBench()
        bench.tell(.claim(5))
        bench.tell(.asked(.otherOrders(1)))
        #expect(bench.tell(.ordersTold) == [])
        #expect(bench.tell(.ordersRead(.success(KnownOrders(1)))) == ["readOrders"])
        #expect(bench.tell(.ordersRead(.success(KnownOrders(2)))) == ["ask 5"])
        #expect(bench.tell(bench.renewal(orders: 2)) == [])
        #expect(bench.tell(bench.renewal(orders: 3)) == ["readOrders"])
    }

    @Test("pops on a paused queue are called back, what they bring goes back, and they stay idle until it is resumed")
    func pausing() {
        var bench = MachineBench(["q", "r"])
        bench.wait()
        bench.tell(.ordersTold)
        #expect(
            bench.tell(.ordersRead(.success(KnownOrders(1, paused: ["q"])))) == ["unblock 0 1 2 3"])
        #expect(bench.tell(.popped(bench.pop(0), .message(Array("a".utf8), isLast: true))) == ["handBack a"])
        #expect(bench.tell(.popped(bench.pop(1), .nothing)) == [])
        bench.tell(.ordersTold)
        #expect(bench.tell(.ordersRead(.success(KnownOrders(2)))) == ["ask 5"])
    }

    @Test("what is spare when its queue is found to be paused goes back")
    func pausedSpare() {
        var bench = MachineBench(["q", "r"])
        bench.wait()
        bench.tell(.wake)
        bench.tell(.popped(bench.pop(0), .message(Array("a".utf8), isLast: true)))
        bench.tell(.popped(bench.pop(4), .message(Array("b".utf8), isLast: true)))
        bench.tell(.ordersTold)
        #expect(
            bench.tell(.ordersRead(.success(KnownOrders(1, paused: ["q"]))))
                == ["unblock 1 2 3", "handBack a"])
        #expect(bench.tell(.claim(5)) == ["resume b"])
    }

    @Test("a pop that brings its message under other orders has these read before the message is handed out")
    func poppedUnderOtherOrders() {
        var bench = MachineBench()
        bench.wait()
        bench.tell(.claim(1))
        #expect(bench.tell(.popped(bench.pop(0), .message(Array("a".utf8), isLast: false))) == ["readOrders"])
        #expect(bench.tell(.ordersRead(.success(KnownOrders(1)))) == ["resume a", "recallSoon"])
        // And where nobody claimed meanwhile, before it is handed to who does next.
        bench.wait()
        bench.tell(.wake)
        bench.tell(.popped(bench.pop(0), .message(Array("b".utf8), isLast: false)))
        #expect(bench.tell(.claim(1)) == ["readOrders"])
        #expect(bench.tell(.ordersRead(.success(KnownOrders(2)))) == ["resume b"])
    }

    // MARK: Lost replies

    @Test("what a lost pop may have moved is looked for, adopted, and not taken for new when it is announced after all")
    func adoption() {
        var bench = MachineBench()
        bench.wait()
        #expect(bench.tell(.popped(bench.pop(3), .lost)) == ["rest 3", "look q 0"])
        let early = Array("early".utf8)
        let found = Delivery(queue: "q", payload: early, place: "q")
        #expect(bench.tell(.looked(.success([found]))) == ["look q 1"])
        bench.tell(.looked(.success([])))
        // Beside the look, the pop that is still under way brings the same message.
        #expect(bench.tell(.popped(bench.pop(0), .message(early, isLast: true))) == [])
        for _ in 0..<2 { bench.tell(.looked(.success([]))) }
        #expect(bench.tell(.looked(.success([]))) == ["report adopted", "resume early", "recallSoon"])
        #expect(bench.machine.stock.count == 1)
        // Handed back, it is as new as any other.
        bench.machine.settled([found], stillHeld: [])
        bench.tell(.claim(1))
        #expect(bench.tell(.asked(.moved([]))) == ["pop 0"])
        #expect(bench.tell(.popped(bench.pop(0), .message(early, isLast: true))) == ["resume early"])
    }

    @Test("while a lost pop may still move messages, lists are looked through now and then, and once more afterwards")
    func looks() {
        var bench = MachineBench()
        bench.wait()
        bench.tell(.popped(bench.pop(0), .lost))
        let since = bench.now
        var looks = 0
        for _ in 0..<40 {
            bench.tell(bench.renewal())
            while case .looking = bench.machine.claim?.step { bench.tell(.looked(.success([]))) }
            if case .asking = bench.machine.claim?.step { bench.tell(.asked(.moved([]))) }
            bench.pass(.seconds(1))
            for index in bench.machine.pops.indices where bench.machine.pops[index].isUnderWay {
                bench.tell(.popped(bench.pop(index), .nothing))
            }
            if bench.tell(.beat(connectedSince: since)).contains("look q 0") { looks += 1 }
        }
        #expect((4...7).contains(looks))
        #expect(!bench.machine.suspicion.isThere)
    }

    @Test("a pop that is refused is told of once, and does not keep the others from being served")
    func refused() {
        var bench = MachineBench()
        bench.wait()
        #expect(bench.tell(.popped(bench.pop(0), .refused(.wrong))) == ["report queueRefused", "rest 0"])
        #expect(bench.tell(.rested(bench.pop(0))) == ["pop 0"])
        #expect(
            bench.tell(.popped(bench.pop(1), .message(Array("a".utf8), isLast: true))) == ["resume a", "recallSoon"])
        #expect(!bench.machine.suspicion.isThere)
    }

    @Test("a connection that cannot be had is tried again, and only while it is wanted")
    func noConnection() {
        var bench = MachineBench()
        bench.tell(.claim(5))
        bench.tell(.asked(.moved([])))
        #expect(bench.tell(.connected(bench.pop(0), false)) == ["rest 0"])
        #expect(bench.tell(.rested(bench.pop(0))) == ["connect 0"])
        bench.tell(.connected(bench.pop(1), false))
        bench.tell(.wake)
        #expect(bench.tell(.rested(bench.pop(1))) == [])
        #expect(bench.tell(.connected(bench.pop(2), true)) == [])
    }

    // MARK: The pulse

    @Test("the lease is renewed each second; only who is on duty moves what is due and looks for lost processes")
    func renewal() {
        var bench = MachineBench()
        var words: [[String]] = []
        for second in 0..<9 {
            words.append(bench.tell(.beat(connectedSince: nil)))
            words[second] += bench.tell(bench.renewal(isOnDuty: second >= 3))
            bench.pass(.seconds(1))
        }
        #expect(words[0] == ["renew", "watch"])
        #expect(words.allSatisfy { $0.first == "renew" })
        #expect(words[3] == ["renew", "begin duty", "promote", "lookForLost"])
        #expect(words[4...].map { $0.contains("lookForLost") } == [true, false, true, false, true])
        #expect(bench.tell(bench.renewal(isOnDuty: false)) == ["end duty"])
    }

    @Test("lists of priorities that nobody uses are asked about, and waited for once somebody does")
    func unusedLists() {
        var bench = MachineBench(usesPriorities: false)
        bench.wait()
        #expect(bench.machine.pops.map(\.phase) == [.blocked, .idle, .idle, .idle])
        guard case .renew(let asked)? = bench.machine.handle(.beat(connectedSince: nil), at: bench.now).first else {
            Issue.record("no renewal")
            return
        }
        #expect(asked == [1, 2, 3])
        #expect(bench.tell(bench.renewal(used: [2])) == ["ask 5"])
        #expect(bench.tell(.asked(.moved([]))) == ["connect 2"])
        // Many of them are asked about in turn.
        var large = MachineBench((0..<600).map { "q\($0)" }, usesPriorities: false)
        var seen: Set<Int> = []
        for _ in 0..<4 {
            let actions = large.machine.handle(.beat(connectedSince: nil), at: large.now)
            for case .renew(let asked) in actions {
                #expect(asked.count <= 490)
                seen.formUnion(asked)
            }
            large.tell(large.renewal())
        }
        #expect(seen.count == 1_800)
    }

    @Test("of very many queues the claim asks in portions, urgent lists first")
    func portions() {
        var bench = MachineBench((0..<300).map { "q\($0)" })
        var portions: [ClaimRequest] = []
        for action in bench.machine.handle(.claim(5), at: bench.now) {
            if case .ask(let request) = action { portions.append(request) }
        }
        while case .asking? = bench.machine.claim?.step {
            for action in bench.machine.handle(.asked(.moved([])), at: bench.now) {
                if case .ask(let request) = action { portions.append(request) }
            }
        }
        #expect(portions.map(\.lists.count) == [490, 110, 490, 110, 490, 110, 490, 110])
        #expect(portions.allSatisfy { $0.width == $0.lists.count })
        #expect(Set(portions.flatMap(\.lists)).count == 2_400)
    }

    @Test("a renewal that failed is tried again with the next beat, one under way is not")
    func failedRenewal() {
        var bench = MachineBench()
        bench.tell(.beat(connectedSince: nil))
        #expect((0..<4).allSatisfy { _ in !bench.tell(.beat(connectedSince: nil)).contains("renew") })
        bench.tell(.renewalFailed)
        #expect(bench.tell(.beat(connectedSince: nil)).contains("renew"))
    }

    @Test("once the client had to connect again the intake is started anew, over other connections")
    func reconnected() {
        var bench = MachineBench()
        bench.wait()
        let first = bench.now
        bench.tell(.beat(connectedSince: first))
        let old = bench.pop(0)
        bench.pass(.seconds(1))
        #expect(bench.tell(.beat(connectedSince: first + .seconds(1))) == ["closePops", "look q 0"])
        #expect(bench.tell(.popped(old, .lost)) == [])
        #expect(bench.tell(.connected(old, true)) == [])
        for _ in 0..<4 { bench.tell(.looked(.success([]))) }
        #expect(bench.tell(.asked(.moved([]))) == (0..<4).map { "connect \($0)" })
    }

    @Test("an intake that stands still is started anew, and ends the claim if that does not help")
    func standstill() {
        var bench = MachineBench()
        bench.wait()
        let since = bench.now
        var words: [String] = []
        for _ in 0..<100 {
            bench.tell(bench.renewal())
            words += bench.tell(.beat(connectedSince: since))
            bench.pass(.seconds(1))
        }
        #expect(words.filter { $0 == "closePops" }.count == 3 && words.contains("report standsStill"))
        #expect(words.last { $0.hasPrefix("fail") } == "fail damaged")
        #expect(bench.tell(.claim(1)) == ["fail damaged"])
    }

    // MARK: The lease

    @Test("after the lease is lost, by whatever news, nothing is handed out", arguments: 0..<4)
    func lapse(news: Int) {
        var bench = MachineBench()
        bench.tell(.claim(5))
        let words =
            switch news {
            case 0: bench.tell(.lose)
            case 1: bench.tell(.lapsed)
            case 2: bench.tell(.asked(.lapsed))
            default:
                {
                    bench.pass(.seconds(11))
                    return bench.tell(.beat(connectedSince: nil))
                }()
            }
        #expect(words == ["tellLoss", "fail leaseLost"])
        #expect(bench.tell(.asked(.moved([bench.delivery("a")]))) == [])
        #expect(bench.tell(.claim(5)) == ["fail leaseLost"])
        #expect(bench.tell(.lose) == [])
        #expect(bench.tell(.beat(connectedSince: nil)) == [])
        #expect(bench.machine.stock.count == 1)
    }

    @Test("messages that came when the lease had lapsed are not handed out")
    func tooLate() {
        var bench = MachineBench()
        bench.tell(.claim(5))
        bench.pass(.seconds(11))
        #expect(bench.tell(.asked(.moved([bench.delivery("a")]))) == ["tellLoss", "fail leaseLost"])
    }

    // MARK: The end

    @Test("a close calls the pops back, and ends when they have answered, or in doubt")
    func close() {
        var bench = MachineBench()
        bench.wait()
        #expect(bench.tell(.close) == ["tellLoss", "fail leaseLost", "unblock 0 1 2 3", "closeSoon"])
        for index in 0..<3 { #expect(bench.tell(.popped(bench.pop(index), .nothing)) == []) }
        var other = bench
        #expect(bench.tell(.popped(bench.pop(3), .message(Array("a".utf8), isLast: true))) == ["end"])
        #expect(bench.tell(.closeDue) == [])
        #expect(other.tell(.closeDue) == ["end in doubt"])
    }

    @Test("a close without pops is over at once; after a lost reply it is in doubt")
    func closeAtOnce() {
        var bench = MachineBench()
        #expect(bench.tell(.close) == ["tellLoss", "closeSoon", "end"])
        #expect(bench.tell(.close) == [])
        var other = MachineBench()
        other.tell(.claim(1))
        other.tell(.asked(.failed(.lost)))
        #expect(other.tell(.close).last == "end in doubt")
    }

    @Test("a list's order counts for nothing while a reply is missing")
    func cuts() {
        var bench = MachineBench()
        bench.tell(.claim(5))
        let held = ["a", "b", "c"].map { bench.delivery($0) }
        bench.tell(.asked(.moved(held)))
        var doubted = bench
        doubted.tell(.claim(5))
        doubted.tell(.asked(.failed(.lost)))
        let cuts = [
            bench.machine.takeOut(Array(held[..<2]), asCut: true),
            doubted.machine.takeOut(Array(held[..<2]), asCut: true),
        ]
        #expect(cuts.map { $0?.count } == [2, nil])
        bench.machine.settled(Array(held[..<2]), stillHeld: [])
        #expect(bench.machine.stock.count == 1)
        bench.machine.settled([], stillHeld: [held[2]])
        #expect(bench.machine.takeOut([held[2]], asCut: true) == nil)
    }
}
