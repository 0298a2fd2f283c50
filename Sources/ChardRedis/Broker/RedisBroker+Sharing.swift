// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization

extension RedisBroker: SharedBroker {
    /// Python's workers are known by the mailboxes that they listen to. One that was killed leaves its mailbox behind, and one
    /// without remote control has none.
    public func queuesOfOthers(among queues: Set<String>) async -> Set<String> {
        if let view = sharing.view { return view.queuesOfOthers(among: queues) }
        do {
            // By PTTL, not EXISTS: whoever waits for results may do that.
            let others = try await server.ask([RedisCommand("PTTL", keys.binding("celery.pidbox"))])[0].integer != -2
            let view = SharingView(hasOthers: others, served: others ? try await servedQueues() : [])
            sharing.keep(view)
            return view.queuesOfOthers(among: queues)
        } catch {
            // Who only sends may have no right to look; the broker keeps it then.
            sharing.keep(SharingView(hasOthers: false, served: []))
            return []
        }
    }

    /// The queues of all workers that are alive.
    private func servedQueues() async throws -> Set<String> {
        let holders = Holder.read(try await server.ask([RedisCommand("HGETALL", keys.holders)])[0])
        let left = try await server.ask(holders.map { RedisCommand("PTTL", keys.heartbeat($0.identity)) })
        return Set(zip(holders, left).filter { $1.integer != -2 }.flatMap(\.0.queues))
    }
}

/// Who served the queues a moment ago.
struct SharingView: Sendable {
    /// Whether there are workers of another kind.
    var hasOthers: Bool
    /// The queues that Chard's workers serve.
    var served: Set<String>

    func queuesOfOthers(among queues: Set<String>) -> Set<String> { hasOthers ? queues.subtracting(served) : [] }
}

/// Keeps for some seconds what was found out, so that sending does not ask each time.
final class SharingMemory: Sendable {
    private static let lasting = Duration.seconds(5)
    private let state = Mutex<(view: SharingView, at: ContinuousClock.Instant)?>(nil)

    var view: SharingView? {
        state.withLock { known in known.flatMap { .now - $0.at < Self.lasting ? $0.view : nil } }
    }

    func keep(_ view: SharingView) { state.withLock { $0 = (view, .now) } }
}
