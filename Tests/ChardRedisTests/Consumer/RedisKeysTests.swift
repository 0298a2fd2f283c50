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
                keys.binding("q"), keys.permanentBinding("q"), keys.status("id"), keys.queues, keys.processes,
                keys.process("p"), keys.leased("p", "PFX:q"), keys.recovering("p"), keys.lastChances("p"),
                keys.ending("p"),
                keys.revoked, keys.paused, keys.orders, keys.scheduled("q"), keys.scheduledMessages("q"), keys.due,
                keys.dead("q"), keys.deadLetter("id"),
            ]
        #expect(all.filter { !$0.hasPrefix("PFX:") } == [])
        #expect(Set(all).count == all.count)
        #expect(keys.bindingMember("q") == "q\u{06}\u{16}\u{06}\u{16}q")
    }
}
