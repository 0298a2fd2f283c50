// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Synchronization

/// Gives back what lost processes held: to the front of its queue, the oldest foremost, each loss counted.
///
/// A process is lost when its heartbeat has expired, by the server's clock, while this one's has not, and a ``Vigil`` was
/// kept: after an outage, or a step of that clock, everybody's has expired.
final class Recoverer: Sendable {
    private let broker: RedisBroker
    private let node: String
    private let identity: String
    private let messageLimit: Int
    private let onBuried: @Sendable ([StatusRecord]) -> Void
    private let state: Mutex<State>

    private struct State {
        var vigil: Vigil
        var isRunning = false
        /// Who may hold messages, this process apart, and when that was read.
        var others: [Holder] = []
        var readAt: ContinuousClock.Instant?
    }

    private var keys: RedisKeys { broker.keys }

    /// - Parameters:
    ///   - messageLimit: Of how many bytes on a message is too large to be read.
    ///   - onBuried: Told the status of each task that was lost too often.
    init(
        broker: RedisBroker, node: String, identity: String, messageLimit: Int,
        onBuried: @escaping @Sendable ([StatusRecord]) -> Void
    ) {
        self.broker = broker
        self.node = node
        self.messageLimit = messageLimit
        self.onBuried = onBuried
        self.identity = identity
        state = Mutex(
            State(vigil: Vigil(lease: broker.settings.lease, interval: broker.settings.recovery, began: .now)))
    }

    /// Looks once, unless a look is under way.
    func start() {
        guard let since = broker.client.connectedSince else { return }
        let mayLook = state.withLock { state in
            guard state.vigil.looks(at: .now, connectedSince: since), !state.isRunning else { return false }
            state.isRunning = true
            return true
        }
        guard mayLook else { return }
        // Not on Swift's pool: bodies that keep it busy must not keep other workers' tasks waiting.
        Task(executorPreference: broker.executor) { [self] in
            do throws(RedisError) {
                try await look()
            } catch {
                broker.logger.debug("recovery was cut short", metadata: ["error": "\(error)"])
            }
            state.withLock { $0.isRunning = false }
        }
    }

    /// Recovers one process that somebody saw end.
    func declareLost(_ identity: String) async throws(RedisError) {
        let processes = Holder.read(try await broker.client.send(RedisCommand("HGETALL", keys.processes)))
        guard let process = processes.first(where: { $0.identity == identity }) else { return }
        // The server may not have noticed the end of its connections, and hand it another message.
        let mark = RedisCommand(
            "SET", keys.ending(identity), 1, "PX", (broker.settings.blockingPop * 2).milliseconds)
        _ = try await broker.client.pipeline([mark, RedisCommand("DEL", keys.process(identity))])
        try await recover(process)
    }

    private func look() async throws(RedisError) {
        let others = try await others()
        guard !others.isEmpty else { return }
        var question = RedisCommand("EXISTS", keys.process(identity))
        question.append(contentsOf: others.map { keys.process($0.identity) })
        // One cheap question for all of them: nearly always everybody is there.
        guard try await broker.client.send(question).integer != others.count + 1 else { return }
        state.withLock { $0.readAt = nil }
        var alive = try await broker.client.pipeline(
            ([identity] + others.map(\.identity)).map { RedisCommand("EXISTS", keys.process($0)) })
        // Who is lost by the same measure judges nobody.
        guard alive.removeFirst().integer == 1 else { return }
        for (process, exists) in zip(others, alive) where exists.integer == 0 {
            try await recover(process)
        }
    }

    /// The others, read anew twice in a lease: who comes and goes in between is not lost before that has lapsed.
    private func others() async throws(RedisError) -> [Holder] {
        let now = ContinuousClock.now
        if let known = state.withLock({ state in
            state.readAt.flatMap { now - $0 < broker.settings.lease / 2 ? state.others : nil }
        }) {
            return known
        }
        let others = Holder.read(try await broker.client.send(RedisCommand("HGETALL", keys.processes)))
            .filter { $0.identity != identity }
        state.withLock { state in
            state.others = others
            state.readAt = now
        }
        return others
    }

    private func recover(_ process: Holder) async throws(RedisError) {
        let lock = RedisCommand("SET", keys.recovering(process.identity), node, "NX", "PX", 10_000)
        guard !(try await broker.client.send(lock)).isNull else { return }
        let noted = try await broker.client.send(RedisCommand("SMEMBERS", keys.lastChances(process.identity)))
        let lastChances = Set((noted.array ?? []).compactMap(\.text))
        var count = 0
        var isWhole = true
        for queue in process.queues {
            for list in keys.waiting(allOf: queue) {
                do throws(RedisError) {
                    guard let moved = try await recover(list, of: queue, heldBy: process, lastChances) else { return }
                    count += moved
                } catch {
                    // Whoever looks next tries again; what else the process held need not wait for that.
                    guard error.code == .wrongType else { throw error }
                    isWhole = false
                    broker.logger.error(
                        "a lost worker's tasks cannot be given back",
                        metadata: ["queue": "\(queue)", "error": "\(error)"])
                }
            }
        }
        guard isWhole else { return }
        let isEnding = try await broker.client.send(RedisCommand("EXISTS", keys.ending(process.identity)))
        if isEnding.integer == 0 {
            _ = try await broker.client.pipeline([
                RedisCommand("HDEL", keys.processes, process.identity),
                RedisCommand("DEL", keys.lastChances(process.identity)),
            ])
        }
        _ = try await broker.client.send(RedisCommand("DEL", keys.recovering(process.identity)))
        guard count > 0 else { return }
        broker.logger.notice(
            "a lost worker's tasks were given back",
            metadata: ["node": "\(process.node)", "identity": "\(process.identity)", "count": "\(count)"])
    }

    /// Returns how many messages were moved; `nil` if the process lives after all.
    private func recover(
        _ list: String, of queue: String, heldBy process: Holder, _ lastChances: Set<String>
    ) async throws(RedisError) -> Int? {
        let leased = keys.leased(process.identity, list)
        var count = 0
        while true {
            // The newest are at the left end; moved first, they come to stand behind the older ones.
            let look = RedisScript.held.command(
                keys: [leased], 0, 1, RedisBroker.batchBytes, messageLimit)
            let messages = try await broker.client.send(look).array ?? []
            guard !messages.isEmpty else { return count }
            for message in messages.compactMap(HeldMessage.init) {
                switch try await move(message, leased: leased, list: list, queue: queue, process, lastChances) {
                case -1: return nil
                case 0: break
                default: count += 1
                }
            }
        }
    }

    private func move(
        _ message: HeldMessage, leased: String, list: String, queue: String, _ process: Holder,
        _ lastChances: Set<String>
    ) async throws(RedisError) -> Int? {
        let held = OutgoingMessage(id: "", queue: queue, payload: message.payload)
        var script = RedisScript.recover.command(
            keys: [keys.process(process.identity), leased, keys.due], message.payload)
        script.append(message.excerptOf.map(String.init) ?? "")
        var buried: StatusRecord?
        switch Recovery.of(
            held, excerptOf: message.excerptOf, from: process.node, maximumLosses: broker.settings.maximumLosses,
            noted: lastChances,
            now: Date())
        {
        case .again(let message):
            script.append("a")
            script.append(list)
            script.append(message.payload)
        case .dead(let letter, let status):
            script.append("d")
            script.append(letter, broker: broker)
            buried = status
            if let status {
                script.append(status, keys: keys)
            } else {
                script.append("")
            }
        }
        let answer = try await broker.client.send(script).integer
        if answer == 1, let buried { onBuried([buried]) }
        return answer
    }
}
