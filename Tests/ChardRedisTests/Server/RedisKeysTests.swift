// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("Keys")
struct RedisKeysTests {
    @Test("waiting lists bear kombu's names, the most urgent first")
    func waiting() {
        #expect(
            RedisKeys().waiting(allOf: "celery")
                == ["celery", "celery\u{06}\u{16}3", "celery\u{06}\u{16}6", "celery\u{06}\u{16}9"])
    }

    @Test("the prefix stands before every key, and not inside of members")
    func prefix() {
        let keys = RedisKeys(prefix: "PFX:")
        let all =
            keys.waiting(allOf: "q") + [
                keys.binding("q"), keys.permanentBinding("q"), keys.status("id"), keys.queues, keys.holders,
                keys.heartbeat("p"), keys.leased("p", "PFX:q"), keys.recovering("p"), keys.lastChances("p"),
                keys.ending("p"), keys.seal, keys.aside, keys.aside("n"),
                keys.revoked, keys.paused, keys.orders, keys.delayed("q"), keys.delayedMessages("q"), keys.due,
                keys.ripe("q", step: 0),
                keys.dead("q"), keys.deadLetters("q"), keys.deadMessages("q"),
            ]
        #expect(all.filter { !$0.hasPrefix("PFX:") } == [])
        #expect(Set(all).count == all.count)
        #expect(keys.bindingMember("q") == "q\u{06}\u{16}\u{06}\u{16}q")
    }

    @Test("every key of a queue is in the slot of its waiting list", arguments: ["", "p:", "{p}:"])
    func slots(prefix: String) {
        let keys = RedisKeys(prefix: prefix)
        for queue in ["celery", "a:b", "{shop}", "{shop}.mail", "x{shop}y", "a}b", "{}a", "{a", "a:messages", "ü"] {
            let slot = RedisKeys.tag(of: keys.waiting(queue))
            for key in [
                keys.delayed(queue), keys.delayedMessages(queue), keys.dead(queue), keys.ripe(queue, step: 1),
                keys.leased("w@h#1", keys.waiting(queue)),
            ] where !slot.contains("}") {
                #expect(RedisKeys.tag(of: key) == slot, "\(key)")
            }
        }
    }

    @Test("no two queues share a key, whatever their names")
    func distinct() {
        let keys = RedisKeys()
        let queues = [
            "a", "{a}", "{a}b", "{a}:b", "a:messages", "a:delayed", "a}b", "{a}:{a}", "{a", "delayed", "a-messages",
        ]
        let all = queues.flatMap { queue in
            [keys.delayed(queue), keys.delayedMessages(queue), keys.dead(queue)] + keys.ripe(allOf: queue)
                + keys.waiting(allOf: queue).flatMap { [$0, keys.leased("w@h#1", $0)] }
        }
        #expect(Set(all).count == all.count)
        for queue in queues {
            for (step, list) in keys.waiting(allOf: queue).enumerated() {
                #expect(keys.queue(of: list) == (queue, step))
            }
        }
    }
}
