// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization

/// A clock that stands still until it is moved, and calls whoever asked to be called at a time.
///
/// Give ``now`` to `Settings` and to `MemorySettings`, and ``alarm(at:_:)`` to the latter.
public final class ManualClock: Sendable {
    private struct Alarm {
        var at: Date
        var number: Int
        var action: @Sendable () -> Void
    }

    private struct State {
        var now: Date
        var alarms: [Alarm] = []
        var count = 0
    }

    private let state: Mutex<State>

    /// Makes a clock that stands at `start`: by default at eight in the morning, UTC, on 15 January 2027.
    public init(_ start: Date = Date(timeIntervalSince1970: 1_800_000_000)) {
        state = Mutex(State(now: start))
    }

    /// The time.
    public var now: Date { state.withLock { $0.now } }

    /// The earliest time at which somebody asked to be called; `nil` where nobody did.
    public var nextAlarm: Date? { state.withLock { $0.alarms.map(\.at).min() } }

    /// Moves the clock on. When this returns, everything that was to happen meanwhile has happened, in order and each at
    /// its own time.
    public func advance(by duration: Duration) {
        advance(to: now.addingTimeInterval(duration.seconds))
    }

    /// Moves the clock on to `date`; it does not go back.
    public func advance(to date: Date) {
        while let action = next(until: date) { action() }
        state.withLock { $0.now = max($0.now, date) }
    }

    /// Calls `action` once, when the clock is moved to `date` or past it. While it runs the clock stands at that time.
    public func alarm(at date: Date, _ action: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.count += 1
            state.alarms.append(Alarm(at: date, number: state.count, action: action))
        }
    }

    /// Takes out the first alarm until `date`, and moves the clock to its time.
    private func next(until date: Date) -> (@Sendable () -> Void)? {
        state.withLock { state in
            let first = state.alarms.indices.min {
                (state.alarms[$0].at, state.alarms[$0].number) < (state.alarms[$1].at, state.alarms[$1].number)
            }
            guard let first, state.alarms[first].at <= date else { return nil }
            let alarm = state.alarms.remove(at: first)
            state.now = max(state.now, alarm.at)
            return alarm.action
        }
    }
}

extension MemorySettings {
    /// Settings of a broker that goes by `clock`, whatever time it is elsewhere.
    public static func on(_ clock: ManualClock) -> MemorySettings {
        var settings = MemorySettings()
        settings.now = { clock.now }
        settings.alarm = { clock.alarm(at: $0, $1) }
        return settings
    }
}
