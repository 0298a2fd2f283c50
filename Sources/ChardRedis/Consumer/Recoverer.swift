// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Synchronization

/// Gives back what lost processes held: to the front of its queue, the oldest foremost, each loss counted.
///
/// A process is lost when its heartbeat has expired, by the server's clock, while this one's has not, and a ``LossWatch``
/// was kept: after an outage, or a step of that clock, everybody's has expired.
final class Recoverer: Sendable {
    private let server: RedisAccess
    private let node: String
    private let identity: String
    private let messageLimit: Int
    private let lifetimes: StatusLifetimes
    private let onBuried: @Sendable ([StatusRecord]) -> Void
    private let state: Mutex<State>

    private struct State {
        var losses: LossWatch
        var isRunning = false
        /// Who may hold messages, this process apart, and when that was read.
        var others: [Holder] = []
        var readAt: ContinuousClock.Instant?
    }

    /// The tasks on their last chance that a lost process had started, and what counted losses are believed by.
    private struct Started {
        var ids: Set<String>
        var seal: LossSeal
    }

    private var keys: RedisKeys { server.keys }

    /// For how long one process alone recovers another: so long again with each portion of messages.
    private static let lock: Duration = .seconds(3)
    private static let portion = 1 << 20

    /// - Parameters:
    ///   - messageLimit: Of how many bytes on a message is too large to be read.
    ///   - lifetimes: How long the failures are kept of tasks that were lost too often.
    ///   - onBuried: Told the status of each task that was lost too often.
    init(
        server: RedisAccess, node: String, identity: String, messageLimit: Int,
        lifetimes: StatusLifetimes, onBuried: @escaping @Sendable ([StatusRecord]) -> Void
    ) {
        self.server = server
        self.node = node
        self.messageLimit = messageLimit
        self.lifetimes = lifetimes
        self.onBuried = onBuried
        self.identity = identity
        state = Mutex(
            State(losses: LossWatch(lease: server.settings.lease, interval: server.settings.recovery, began: .now)))
    }

    /// Keeps watch, without looking: somebody else is on duty. Returns whether that was for long enough to judge.
    @discardableResult
    func watch() -> Bool {
        guard let since = server.client.connectedSince else { return false }
        return state.withLock { $0.losses.looks(at: .now, connectedSince: since) }
    }

    /// Looks once, unless a look is under way.
    func start() {
        guard watch() else { return }
        let isFree = state.withLock { state in
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard isFree else { return }
        // Not on Swift's pool: bodies that keep it busy must not keep other workers' tasks waiting.
        Task(executorPreference: server.executor) { [self] in
            do throws(RedisError) {
                try await look()
            } catch {
                server.logger.debug("recovery was cut short", metadata: ["error": "\(error)"])
                server.look(into: error, of: [], by: node)
            }
            state.withLock { $0.isRunning = false }
        }
    }

    /// Recovers one process that somebody saw end.
    func declareLost(_ identity: String, because cause: String? = nil) async throws(RedisError) {
        let processes = Holder.read(try await server.client.send(RedisCommand("HGETALL", keys.holders)))
        guard let process = processes.first(where: { $0.identity == identity }) else { return }
        // The server may not have noticed the end of its connections, and hand it another message.
        let mark = RedisCommand(
            "SET", keys.ending(identity), 1, "PX",
            (server.settings.longestPop(of: process.queues.count) * 2).milliseconds)
        _ = try await server.client.pipeline([mark, RedisCommand("DEL", keys.heartbeat(identity))])
        try await recover(process, because: cause)
    }

    private func look() async throws(RedisError) {
        let others = try await others()
        guard !others.isEmpty else { return }
        // A cheap question for all of them: nearly always everybody is there.
        let all = [keys.heartbeat(identity)] + others.map { keys.heartbeat($0.identity) }
        let questions = stride(from: 0, to: all.count, by: ScriptCall.most).map { start in
            var question = RedisCommand("EXISTS", all[start])
            question.append(contentsOf: all[(start + 1)..<min(start + ScriptCall.most, all.count)])
            return question
        }
        let there = try await server.client.pipeline(questions).reduce(0) { $0 + ($1.integer ?? 0) }
        guard there != all.count else { return }
        state.withLock { $0.readAt = nil }
        var alive = try await server.client.pipeline(
            ([identity] + others.map(\.identity)).map { RedisCommand("EXISTS", keys.heartbeat($0)) })
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
            state.readAt.flatMap { now - $0 < server.settings.lease / 2 ? state.others : nil }
        }) {
            return known
        }
        let others = Holder.read(try await server.client.send(RedisCommand("HGETALL", keys.holders)))
            .filter { $0.identity != identity }
        state.withLock { state in
            state.others = others
            state.readAt = now
        }
        return others
    }

    private func recover(_ process: Holder, because cause: String? = nil) async throws(RedisError) {
        let lock = RedisScript.lockRecovery.command(
            keys: [keys.recovering(process.identity), keys.heartbeat(process.identity)], node, Self.lock.milliseconds)
        guard !(try await server.client.send(lock)).isNull else { return }
        let noted = try await server.client.send(RedisCommand("SMEMBERS", keys.lastChances(process.identity)))
        let seal = try await server.seal(for: node)
        let started = Started(ids: Set((noted.array ?? []).compactMap(\.text)), seal: seal)
        var ids: [String] = []
        var losses: [AttemptRecord] = []
        var isWhole = true
        let keys = process.keys(like: keys)
        for queue in process.queues {
            for list in keys.waiting(allOf: queue) {
                do throws(RedisError) {
                    guard let moved = try await recover(list, of: queue, heldBy: process, because: cause, started)
                    else { return }
                    ids += moved.map { $0.id ?? "?" }
                    losses += moved.compactMap(\.loss)
                } catch {
                    // Whoever looks next tries again; what else the process held need not wait for that.
                    guard error.code == .wrongType else { throw error }
                    isWhole = false
                    server.logger.error(
                        "a lost worker's tasks cannot be given back",
                        metadata: ["queue": "\(queue)", "error": "\(error)"])
                }
            }
        }
        guard isWhole else { return }
        let isEnding = try await server.client.send(RedisCommand("EXISTS", keys.ending(process.identity)))
        if isEnding.integer == 0 {
            _ = try await server.client.pipeline([
                RedisCommand("HDEL", keys.holders, process.identity),
                RedisCommand("DEL", keys.lastChances(process.identity)),
            ])
        }
        _ = try await server.client.send(RedisCommand("DEL", keys.recovering(process.identity)))
        guard !ids.isEmpty else { return }
        do throws(RedisError) {
            try await server.history.note(losses)
        } catch {
            server.logger.debug("losses are missing from the history", metadata: [LogKey.error: "\(error)"])
        }
        server.logger.notice(
            "a lost worker's tasks were given back",
            metadata: [
                LogKey.node: "\(process.node)", "identity": "\(process.identity)", LogKey.count: "\(ids.count)",
                LogKey.taskIDs: "\(LogKey.list(ids))",
            ])
    }

    /// Returns what became of the messages that were moved; `nil` if the process lives after all.
    private func recover(
        _ list: String, of queue: String, heldBy process: Holder, because cause: String?, _ started: Started
    ) async throws(RedisError) -> [Recovery]? {
        let keys = process.keys(like: keys)
        let leased = keys.leased(process.identity, list)
        var moved: [Recovery] = []
        var limits = FetchLimits(message: messageLimit, bytes: Self.portion)
        while true {
            // Whoever dies on the way is followed by the next soon.
            let stay = RedisCommand("PEXPIRE", keys.recovering(process.identity), Self.lock.milliseconds)
            _ = try await server.client.send(stay)
            // The newest are at the left end; moved first, they come to stand behind the older ones.
            let page = limits.page(leased, 0)
            let look = RedisScript.held.command(keys: [leased], 0, 1, page.bytes, page.message)
            let messages: [HeldMessage]
            do throws(RedisError) {
                messages = (try await server.client.send(look).array ?? []).compactMap(HeldMessage.init)
            } catch {
                guard error.code == .closed, limits.closed(leased, 0) else { throw error }
                continue
            }
            _ = limits.fetched(leased, 0, excerptOf: messages.last?.excerptOf)
            guard !messages.isEmpty else { return moved }
            for message in messages {
                let recovery = Recovery(
                    of: OutgoingMessage(id: "", queue: queue, payload: message.payload), excerptOf: message.excerptOf,
                    from: process.node, because: cause, maximumLosses: server.settings.maximumLosses,
                    noted: started.ids, seal: started.seal, now: Date(), lifetimes: lifetimes)
                switch try await move(message, recovery, leased: leased, list: list, process) {
                case -1: return nil
                case 0: break
                default: moved.append(recovery)
                }
            }
        }
    }

    private func move(
        _ message: HeldMessage, _ recovery: Recovery, leased: String, list: String, _ process: Holder
    ) async throws(RedisError) -> Int? {
        let keys = process.keys(like: keys)
        var call = ScriptCall(.recover)
        call.append(key: keys.heartbeat(process.identity))
        call.append(key: leased)
        call.append(message.payload)
        call.append(message.excerptOf.map(String.init) ?? "")
        call.append(recovery.effects, from: list, keys, server.settings, now: 0)
        let answer = try await server.client.send(call.command)
        guard answer.integer == nil else { return answer.integer }
        if let status = recovery.buried { onBuried([status]) }
        return 1
    }
}
