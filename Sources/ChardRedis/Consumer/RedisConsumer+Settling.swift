// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Synchronization

extension RedisConsumer {
    func settle(_ settlements: [Settlement]) async throws -> [Receipt] {
        var receipts = [Receipt](repeating: .settled, count: settlements.count)
        var open = Array(settlements.indices)
        var isRepeated = false
        while !open.isEmpty {
            try checkLease()
            let now = Date().timeIntervalSince1970 + clockOffset
            let batch = SettleCommand(
                open.map { settlements[$0] }, identity: identity, broker: broker, now: now, taking: takeOut)
            let reply: [RESPValue]
            (reply, isRepeated) = try await settled(batch.command, isRepeated)
            var answers = reply[...]
            var again: [Int] = []
            var settled: [Delivery] = []
            var trouble: RedisError?
            for run in batch.runs {
                let indices = open.prefix(run.count)
                open.removeFirst(run.count)
                if run.isCut {
                    if answers.popFirst()?.integer == run.count {
                        settled += indices.map { settlements[$0].delivery }
                    } else {
                        // Not in the order that was thought, or not to be written: each by itself, then.
                        state.withLock { $0.doubtOrder(of: run.place, stillHeld: run.count) }
                        again += indices
                    }
                    continue
                }
                for (index, answer) in zip(indices, answers) {
                    guard let error = answer.error else {
                        settled.append(settlements[index].delivery)
                        if answer.integer == 0 { receipts[index] = isRepeated ? .uncertain : .fenced }
                        continue
                    }
                    state.withLock { $0.doubtOrder(of: run.place, stillHeld: 1) }
                    if error.code == .wrongType {
                        receipts[index] = .uncertain
                        settleLater(settlements[index], because: error)
                    } else {
                        trouble = error
                        again.append(index)
                    }
                }
                answers = answers.dropFirst(run.count)
            }
            let done = settled
            state.withLock { state in for delivery in done { state.holdings.remove(delivery) } }
            if let trouble {
                guard trouble.isRetryable else { throw BrokerError(trouble) }
                try await Task.sleep(for: .milliseconds(200))
            }
            open = again + open
        }
        return receipts
    }

    /// Takes deliveries of one list out of what is known of it; all at once where they can be dropped by count.
    private func takeOut(_ deliveries: [Delivery], asCut: Bool) -> LeasedList.Cut? {
        state.withLock { state in
            guard let place = deliveries.first?.place, var list = state.lists.removeValue(forKey: place) else {
                return nil
            }
            defer { state.lists[place] = list }
            if asCut, state.suspectUntil == nil, let cut = list.cut(deliveries) { return cut }
            for delivery in deliveries { list.remove(delivery) }
            return nil
        }
    }

    /// Tries again when somebody may have mended it: a key that this settlement needs holds something else. The message
    /// stays leased until then, and nothing else has to wait.
    private func settleLater(_ settlement: Settlement, because error: RedisError) {
        broker.logger.error(
            "a task cannot be settled", metadata: ["queue": "\(settlement.delivery.queue)", "error": "\(error)"])
        Task {
            try await Task.sleep(for: .seconds(2))
            _ = try await settle([settlement])
        }
    }

    /// Sends settlements; says whether they had to be sent more than once.
    private func settled(_ command: RedisCommand, _ wasRepeated: Bool) async throws -> ([RESPValue], Bool) {
        let repeats = Mutex(wasRepeated)
        let reply = try await persevering(command) { _ in repeats.withLock { $0 = true } }
        return (reply.array ?? [], repeats.withLock { $0 })
    }

    func report(_ statuses: [StatusRecord]) async throws {
        var script = RedisScript.store.command(keys: [keys.process(identity)])
        for status in statuses { script.append(status, keys: keys) }
        _ = try await persevering(script) { _ in }
    }

    func isDrained() async throws -> Bool {
        let lists = subscription.queues.flatMap(keys.waiting(allOf:))
        // What is leased is asked for last: where there is more than is known, its announcement is under way.
        let all = lists + lists.map { keys.leased(identity, $0) }
        let counts = try await translatingErrors { () throws(RedisError) in
            try await client.pipeline(all.map { RedisCommand("LLEN", $0) })
        }.map { $0.integer ?? 0 }
        return counts.prefix(lists.count).allSatisfy { $0 == 0 }
            && counts.suffix(lists.count).reduce(0, +) <= state.withLock { $0.holdings.count }
    }
}
