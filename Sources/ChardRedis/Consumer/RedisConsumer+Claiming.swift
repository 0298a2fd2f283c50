// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import Synchronization

extension RedisConsumer {
    func claim(upTo count: Int) async throws -> [Delivery] {
        try begin()
        defer { rest() }
        if let caught = takeCaught(count) { return caught }
        state.withLock { $0.intake.begins(at: .now) }
        // Where the one message that came was the last, asking for more would only keep the server and this thread from that
        // one. Now and then it is done all the same, for the orders' sake.
        let isSuspect = isSuspect
        let knowsEmpty = await onLoop(\.knowsEmpty) ?? false
        if isSuspect || !knowsEmpty || .now - state.withLock({ $0.knewOrdersAt }) > .seconds(1) {
            do {
                let deliveries = try await isSuspect ? adoptUnknown() : pop(count)
                if !deliveries.isEmpty { return deliveries }
            } catch is CancellationError {
                // Between two tries. What the server has moved all the same is adopted by the next claim.
                return []
            }
        }
        await onLoop { $0.arm() }
        await signal.wait()
        try checkLease()
        return takeCaught(count) ?? []
    }

    func wake() {
        signal.fire()
    }

    func begin() throws {
        try checkLease()
        state.withLock { $0.isClaiming = true }
    }

    /// The caller has what it wants: unless it soon asks again, blocking pops are called back, so that no message comes
    /// here that another process has room for.
    func rest() {
        state.withLock { $0.isClaiming = false }
        client.eventLoop.execute { self.loop.value?.scheduleRecall() }
    }

    /// Asks the part on the event loop, where the worker's steps run, too. `nil` when it has ended.
    @discardableResult
    func onLoop<Answer: Sendable>(
        _ question: @escaping @Sendable (RedisConsumerLoop) -> Answer
    ) async -> Answer? {
        let loop = client.eventLoop
        if loop.inEventLoop { return self.loop.value.map(question) }
        return try? await loop.submit { self.loop.value.map(question) }.get()
    }

    func takeCaught(_ count: Int) -> [Delivery]? {
        state.withLock { state in
            guard !state.caught.isEmpty, !state.isOver else { return nil }
            let taken = Array(state.caught.prefix(count))
            state.caught.removeFirst(taken.count)
            return taken
        }
    }

    func pop(_ count: Int) async throws -> [Delivery] {
        let turn = state.withLock { state in
            state.turn += 1
            return state.turn
        }
        // Each claim begins with the next queue, so that a single free slot serves all of them in turn.
        let orders = state.withLock { $0.orders }
        let open = subscription.queues.filter { !orders.paused.contains($0) }
        let queues = open.indices.map { open[($0 + turn) % open.count] }
        let lists = Priority.steps.indices.flatMap { step in
            queues.map { (queue: $0, list: keys.waiting($0, step: step)) }
        }
        if let taken = try await takeLarge(count, from: lists.map(\.list), width: queues.count) { return taken }
        var script = RedisScript.claim.command(
            keys: [keys.process(identity), keys.orders] + lists.flatMap { [$0.list, keys.leased(identity, $0.list)] })
        script.append(orders.number)
        script.append(count)
        script.append(max(1, queues.count))
        script.append(RedisBroker.batchBytes)
        script.append(subscription.messageLimit)
        let reply = try await persevering(script) { state in state.suspectUntil = .now + .seconds(15) }
        guard let parts = reply.array else {
            lose()
            throw lapsed
        }
        guard parts.first?.text == orders.number else {
            try await learnOrders()
            return try await pop(count)
        }
        state.withLock { state in
            state.knewOrdersAt = .now
            state.intake.moved(at: .now)
        }
        var deliveries: [Delivery] = []
        for index in stride(from: 1, to: parts.count - 1, by: 2) {
            guard let pair = parts[index].integer, let message = HeldMessage(parts[index + 1]) else { continue }
            let (queue, list) = lists[pair - 1]
            deliveries.append(delivery(message, of: queue, from: list, number: Self.nextNumber()))
        }
        let claimed = deliveries
        state.withLock { state in
            state.hold(claimed)
            // Of one message nobody knows whether the other queues of its step had one as well.
            state.large = claimed.count > 1 || queues.count == 1 ? LargeSource(of: claimed) : nil
        }
        try checkLease()
        return deliveries
    }

    func delivery(_ message: HeldMessage, of queue: String, from list: String, number: Int64 = 0) -> Delivery {
        Delivery(
            queue: queue, payload: message.payload, place: list, number: number, excerptOf: message.excerptOf)
    }

    func noteLastChance(of id: String) async throws {
        let key = keys.lastChances(identity)
        _ = try await persevering(RedisCommand("SADD", key, id)) { _ in }
        _ = try await persevering(RedisCommand("EXPIRE", key, 86_400)) { _ in }
    }
}
