// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardRedis

@Suite("A consumer's machine among random events")
struct ConsumerInterleavingTests {
    @Test(
        "nothing is handed out twice, forgotten, or given against orders; what replies did not tell is found",
        arguments: 0..<80)
    func interleaving(seed: UInt64) {
        var play = Play(seed)
        play.run(600)
        play.settleDown()
        play.end()
        #expect(play.world.trouble == nil, "seed \(seed): \(play.world.log.suffix(30).joined(separator: ", "))")
    }

    @Test(
        "so it is where the lease may lapse: a waiting claim ends, and all that was held goes back", arguments: 0..<80)
    func lapses(seed: UInt64) {
        var play = Play(seed &+ 1_000_000)
        play.mayLapse = true
        play.run(600)
        if !play.world.isOver { play.settleDown() }
        if play.world.isOver, play.world.isClaiming { play.world.fail("a claim waits although the lease is lost") }
        play.end()
        #expect(play.world.trouble == nil, "seed \(seed): \(play.world.log.suffix(30).joined(separator: ", "))")
    }

    private struct Play {
        let world: ConsumerWorld
        var mayLapse = false
        private let queues: [String]
        private let lists: [String]
        private let size: Int
        /// Which connections end: one kind alone is not made up for by another.
        private let faults: (client: Bool, pops: Bool, restart: Bool)
        private var sent: Set<String> = []
        private var nextBeat: ContinuousClock.Instant

        init(_ seed: UInt64) {
            queues = seed % 3 == 0 ? ["q"] : ["q", "r"]
            faults = (seed % 5 < 2, seed % 5 % 2 == 0, seed % 5 == 0 || seed % 5 == 3)
            size = seed % 4 == 0 ? LargeSource.leastSize + 20 : 0
            world = ConsumerWorld(seed: seed, queues: queues)
            lists = queues.flatMap { RedisKeys().waiting(allOf: $0).prefix(2) }
            nextBeat = world.now + .seconds(1)
        }

        private mutating func draw(_ count: Int) -> Int { .random(in: 0..<count, using: &world.random) }

        mutating func run(_ steps: Int) {
            for _ in 0..<steps where world.trouble == nil {
                switch draw(100) {
                case 0..<12: send()
                case 12..<24: if !world.isClaiming { world.claim(1 + draw(5)) }
                case 24..<34:
                    let reach = draw(3)
                    let keeps = Set(world.held.filter { _ in draw(3) < reach }.map(\.payload))
                    world.settle(returning: draw(5) == 0) { !keeps.contains($0.payload) }
                case 34..<60: world.stepCall()
                case 60..<80: stepPop()
                case 80 where faults.client: world.cutClient()
                case 81,
                    82 where faults.pops:
                    if let token = anyPop() { world.cut(token) }
                case 83 where faults.restart: restart()
                case 84, 85: order()
                case 86: world.tell(.wake)
                case 87: world.tell(.ordersTold)
                case 88 where mayLapse: pass(.seconds(1 + draw(14)))
                default: pass(.milliseconds(1 + draw(400)))
                }
            }
        }

        private mutating func send() {
            let text = "m\(sent.count)"
            sent.insert(text)
            let payload = [UInt8](repeating: 0x20, count: max(0, size - text.utf8.count)) + Array(text.utf8)
            world.send(payload, to: lists[draw(lists.count)])
        }

        private mutating func anyPop() -> Int? {
            let tokens = world.popCalls.keys.sorted()
            return tokens.isEmpty ? nil : tokens[draw(tokens.count)]
        }

        private mutating func stepPop() {
            if let token = anyPop() { world.stepPop(token) }
        }

        /// All connections end, and the server knows it.
        private mutating func restart() {
            world.server.blocked = []
            for token in world.popCalls.keys.sorted() { world.cut(token) }
            world.server.blocked = []
            world.cutClient()
        }

        /// The operator changes something; the news of it may not come.
        private mutating func order() {
            let queue = queues[draw(queues.count)]
            if world.server.paused.remove(queue) == nil, draw(2) == 0 { world.server.paused.insert(queue) }
            world.server.orders += 1
            if draw(2) == 0 { world.tell(.ordersTold) }
        }

        private mutating func pass(_ duration: Duration) {
            var rest = duration
            while rest > .zero {
                let portion = min(rest, .milliseconds(250))
                world.pass(portion)
                rest -= portion
                guard world.now >= nextBeat else { continue }
                nextBeat = world.now + .seconds(1)
                world.beat()
                // A connection that lives answers in time, or the lease would be over.
                if !mayLapse { for _ in 0..<3 * world.calls.count { world.stepCall() } }
            }
        }

        /// Lets everything come to an end without further trouble: all that was sent gets finished.
        mutating func settleDown() {
            world.server.paused = []
            world.server.orders += 1
            world.tell(.ordersTold)
            for _ in 0..<150 where world.trouble == nil && !isDone { calm(isClaiming: true) }
            guard world.trouble == nil, !world.isOver else { return }
            if world.finished != sent { world.fail("never finished: \(sent.subtracting(world.finished).sorted())") }
            if world.server.leased.values.contains(where: { !$0.isEmpty }) { world.fail("forgotten in a leased list") }
            if world.machine.stock.count != 0 { world.fail("what is gone is taken to be held") }
            // Nobody claims any more.
            world.tell(.wake)
            for _ in 0..<10 { calm(isClaiming: false) }
            if world.isClaiming { world.fail("a claim that was called back goes on") }
            if !world.server.blocked.isEmpty { world.fail("pops wait that nobody waits for") }
        }

        /// Whether all is finished, and nobody looks for what might have been forgotten.
        private var isDone: Bool {
            world.finished == sent && world.server.leased.values.allSatisfy(\.isEmpty) && world.calls.isEmpty
                && !world.machine.suspicion.isThere
        }

        private mutating func calm(isClaiming: Bool) {
            for _ in 0..<15 {
                world.stepCall()
                for token in world.popCalls.keys.sorted() { world.stepPop(token) }
                if isClaiming, !world.isClaiming, !world.isOver { world.claim(3) }
                world.settle { _ in true }
            }
            pass(.milliseconds(200))
        }

        /// The holder closes: what it had not finished is on the queues, apart from what a pop may still move.
        mutating func end() {
            let hadTrouble = world.trouble != nil
            world.tell(.close)
            pass(.milliseconds(200))
            if hadTrouble { return }
            if world.ended == nil { world.fail("no end") }
            if world.isClaiming { world.fail("a claim goes on after the end") }
            let left = world.server.waiting.values.reduce(0) { $0 + $1.count }
            if left + world.finished.count != sent.count { world.fail("lost, or doubled: \(left) are left") }
        }
    }
}
