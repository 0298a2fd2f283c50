// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// What a consumer tells any thread, at any time: a copy that the event loop refreshes.
final class ConsumerView: Sendable {
    private struct State {
        var revoked = Revocations()
        /// Those that the server was asked about, since not all are known, and that were.
        var asked: Set<String> = []
        var clock = ServerClock()
        var standsSince: ContinuousClock.Instant?

        /// The server's time, in seconds since 1970.
        var now: Double { Date().timeIntervalSince1970 + clock.offset() }
    }

    private let state = Mutex(State())

    /// By how many seconds the server's clock is ahead of this machine's.
    var clockOffset: Double { state.withLock { $0.clock.offset() } }

    // MARK: The intake

    /// For how long claims have had no answer, where that is too long.
    var stalled: Duration { state.withLock { $0.standsSince.map { .now - $0 } ?? .zero } }

    /// Notes since when the intake stands still, if it does.
    func note(standsSince: ContinuousClock.Instant?) {
        state.withLock { $0.standsSince = standsSince }
    }

    // MARK: Revoked tasks

    /// Whether a task is known to be revoked.
    func isRevoked(_ id: String) -> Bool {
        state.withLock { state in
            if state.revoked.count == 0, state.asked.isEmpty { return false }
            return state.revoked.contains(id, now: state.now) || state.asked.contains(id)
        }
    }

    /// Whether a task that is not known to be revoked is not.
    var isWholeOfRevocations: Bool { state.withLock { $0.revoked.isWhole } }

    var hasRoomForRevocations: Bool { state.withLock { $0.revoked.count < Revocations.most } }

    func learn(revoked: [(id: String, until: Double)]) {
        guard !revoked.isEmpty else { return }
        state.withLock { state in
            let now = state.now
            for (id, until) in revoked { state.revoked.insert(id, until: until, now: now) }
        }
    }

    func learn(asked ids: [String]) {
        state.withLock { state in
            // What was asked about long ago has run, or was dropped.
            if state.asked.count > 10_000 { state.asked = [] }
            state.asked.formUnion(ids)
        }
    }

    func knowsAllRevocations() {
        state.withLock { $0.revoked.becomeWhole() }
    }

    func doubtRevocations() {
        state.withLock { $0.revoked.doubt() }
    }

    // MARK: The server's clock

    /// Takes the server's time, which it had at some moment since `asked`. Returns by how many seconds it has been set since the
    /// last time, where it was.
    @discardableResult
    func noteTime(_ reply: RESPValue?, asked: ServerClock.Reading) -> Double? {
        guard let parts = reply?.array, parts.count == 2,
            let seconds = parts[0].text.flatMap(Double.init), let micros = parts[1].text.flatMap(Double.init)
        else { return nil }
        return state.withLock { state in
            let (time, answered) = (seconds + micros / 1e6, ServerClock.Reading.now)
            defer { state.clock.told(time, asked: asked, answered: answered) }
            return state.clock.jump(to: time, answered: answered)
        }
    }
}
