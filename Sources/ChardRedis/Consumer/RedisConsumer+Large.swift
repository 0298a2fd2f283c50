// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import Synchronization

extension RedisConsumer {
    /// Claims large messages without a script, from the list that the last claim found them in.
    ///
    /// What a claim's script makes sure of in one step is asked for and judged afterwards: a message that was moved
    /// although the lease had lapsed is found by whoever recovers the list, and one that came from a queue which is paused
    /// goes back.
    ///
    /// - Parameters:
    ///   - lists: All waiting lists in the order of service.
    ///   - width: How many of them belong to one step of priority.
    /// - Returns: Nil if the script has to be asked.
    func takeLarge(_ count: Int, from lists: [String], width: Int) async throws -> [Delivery]? {
        let (large, known) = state.withLock { state in
            defer { state.large = nil }
            return (state.large, state.orders.number)
        }
        guard let large, let place = lists.firstIndex(of: large.list) else { return nil }
        let rivals = lists[..<((place / width + 1) * width)].filter { $0 != large.list }
        let leased = keys.leased(identity, large.list)
        let asked = min(count, large.count)
        var commands = (0..<asked).map { _ in RedisCommand("LMOVE", large.list, leased, "RIGHT", "LEFT") }
        // Afterwards, since neither a lease that was there then nor orders that had not changed can have been otherwise before.
        commands += [RedisCommand("EXISTS", keys.process(identity)), RedisCommand("GET", keys.orders)]
        if !rivals.isEmpty {
            var others = RedisCommand("EXISTS", rivals[0])
            others.append(contentsOf: rivals.dropFirst())
            commands.append(others)
        }
        let batch = commands
        guard let future = await onLoop({ $0.take(from: large.list, batch) }) ?? nil else { return nil }
        // A pop whose answer was lost makes the leased list suspect by itself.
        guard let replies = try? await future.get() else { return nil }
        let deliveries = replies.prefix(asked).compactMap(\.bytes).map { payload in
            Delivery(queue: large.queue, payload: payload, place: large.list, number: Self.nextNumber())
        }
        guard !deliveries.isEmpty else { return nil }
        guard replies[asked].integer == 1 else {
            lose()
            throw lapsed
        }
        let haveOrdersChanged = replies[asked + 1].text ?? "0" != known
        if haveOrdersChanged { try await learnOrders() }
        state.withLock { state in
            state.hold(deliveries)
            state.knewOrdersAt = .now
            state.intake.moved(at: .now)
            // Where another list has something as well, or this one has no more, the script knows what comes next.
            if rivals.isEmpty || replies.last?.integer == 0, deliveries.count == asked {
                state.large = LargeSource(of: deliveries)
            }
        }
        if haveOrdersChanged, isPaused(large.queue) {
            _ = try await settle(deliveries.reversed().map { Settlement($0, .returned) })
            return nil
        }
        try checkLease()
        return deliveries
    }
}
