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
            let answers = batch.answers(in: reply)
            let asked = open.prefix(answers.count)
            open.removeFirst(answers.count)
            var again: [Int] = []
            var settled: [Delivery] = []
            var trouble: RedisError?
            for (index, answer) in zip(asked, answers) {
                let delivery = settlements[index].delivery
                switch answer {
                case .written:
                    settled.append(delivery)
                case .fenced:
                    settled.append(delivery)
                    receipts[index] = isRepeated ? .uncertain : .fenced
                case .untried:
                    again.append(index)
                case .failed(let error) where error.code == .wrongType:
                    receipts[index] = .uncertain
                    settleLater(settlements[index], because: error)
                case .failed(let error):
                    trouble = error
                    again.append(index)
                }
                if answer.leavesMessage { state.withLock { $0.doubtOrder(of: delivery.place, stillHeld: 1) } }
            }
            let done = settled
            state.withLock { state in for delivery in done { state.holdings.remove(delivery) } }
            if let trouble {
                guard trouble.isRetryable else { throw BrokerError(trouble) }
                try await broker.executor.sleep(for: .milliseconds(200))
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
        Task(executorPreference: broker.executor) { [self] in
            try await broker.executor.sleep(for: .seconds(2))
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
