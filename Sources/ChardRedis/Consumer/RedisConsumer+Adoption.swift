// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import NIOCore
import Synchronization

extension RedisConsumer {
    var isSuspect: Bool {
        state.withLock { state in
            guard let until = state.suspectUntil else { return false }
            if .now > until {
                state.suspectUntil = nil
                state.holdings.forgetAdopted()
            }
            return true
        }
    }

    /// Looks through the leased lists for messages whose announcement was lost with its connection.
    func adoptUnknown() async throws -> [Delivery] {
        let lists = subscription.queues.flatMap { queue in keys.waiting(allOf: queue).map { (queue, $0) } }
        var adopted: [Delivery] = []
        for (queue, list) in lists {
            state.withLock { $0.holdings.beginReading() }
            let held = try await held(of: queue, from: list)
            adopted += state.withLock { state in
                let unknown = state.holdings.unknown(in: held)
                state.hold(unknown, isAdopted: true)
                return unknown
            }
        }
        if adopted.isEmpty { return try await pop(1) }
        broker.logger.debug("messages were adopted", metadata: ["count": "\(adopted.count)"])
        return adopted
    }

    /// What a leased list holds, oldest first. Counted from that end, since what is added meanwhile at the other must not
    /// shift the places: a message that is read twice would be run twice. One that is passed over is found the next time.
    private func held(of queue: String, from list: String) async throws -> [Delivery] {
        var held: [Delivery] = []
        while true {
            let script = RedisScript.held.command(
                keys: [keys.leased(identity, list)], -1 - held.count, -1, RedisBroker.batchBytes,
                subscription.messageLimit)
            let page = try await persevering(script) { _ in }.array ?? []
            if page.isEmpty { return held }
            held += page.compactMap(HeldMessage.init).map { delivery($0, of: queue, from: list) }
        }
    }

    func suspect() {
        state.withLock { $0.suspectUntil = .now + .seconds(15) }
        signal.fire()
    }

    /// Takes what a blocking pop brought.
    func caught(_ payload: [UInt8], queue: String, list: String) {
        let delivery = Delivery(queue: queue, payload: payload, place: list)
        state.withLock { state in
            guard !state.holdings.wasAdopted(delivery) else { return }
            state.hold([delivery])
            state.caught.append(delivery)
        }
        // Also where it was known already: the pop rests until the next claim.
        signal.fire()
    }

    var isClaiming: Bool { state.withLock { $0.isClaiming && !$0.isOver && $0.lease.holds(at: .now) } }

    /// Ends the blocking pops, and hands back what they brought in the meantime.
    func recall() async {
        await unblock()
        let caught = state.withLock { state in
            guard !state.isClaiming else { return [Delivery]() }
            defer { state.caught = [] }
            return state.caught
        }
        guard !caught.isEmpty else { return }
        _ = try? await settle(caught.reversed().map { Settlement($0, .returned) })
    }

    func unblock() async {
        let ids = (try? await client.eventLoop.submit { self.loop.value?.blockedIDs ?? [] }.get()) ?? []
        // Whoever waits for it may be cancelled by now.
        if !ids.isEmpty { _ = try? await client.submit(ids.map { RedisCommand("CLIENT", "UNBLOCK", $0) }).get() }
    }
}
