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
            var script = RedisScript.settle.command(keys: [keys.due])
            var batch = 0
            while batch < open.count, batch == 0 || script.size < RedisBroker.batchBytes {
                batch += script.append(
                    open[batch...].lazy.map { settlements[$0] }, identity: identity, broker: broker, now: now)
            }
            let command = script
            let answers: [RESPValue]
            (answers, isRepeated) = try await settled(command, isRepeated)
            var kept: [Int] = []
            var trouble: RedisError?
            for (index, answer) in zip(open, answers) {
                if let error = answer.error, error.code == .wrongType {
                    receipts[index] = .uncertain
                    settleLater(settlements[index], because: error)
                } else if let error = answer.error {
                    trouble = error
                    kept.append(index)
                } else if answer.integer == 0 {
                    receipts[index] = isRepeated ? .uncertain : .fenced
                }
            }
            let settled = zip(open, answers).filter { $1.error == nil }.map { settlements[$0.0].delivery }
            state.withLock { state in for delivery in settled { state.holdings.remove(delivery) } }
            if let trouble {
                guard trouble.isRetryable else { throw BrokerError(trouble) }
                try await Task.sleep(for: .milliseconds(200))
            }
            open = kept + open.dropFirst(batch)
        }
        return receipts
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
        return try await translatingErrors { () throws(RedisError) in
            try await client.pipeline(lists.map { RedisCommand("LLEN", $0) })
        }.allSatisfy { $0.integer == 0 }
    }
}
