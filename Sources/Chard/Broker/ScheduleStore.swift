// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A broker that keeps schedules, and sends each tick once, however many schedulers there are.
///
/// No scheduler leads the others. Whoever comes first with a tick sends it, in one step that checks that the schedule is
/// unchanged and its last tick is still the one that this follows. So the death of a scheduler costs nothing while there is
/// another, and one that was stopped and wakes up finds its tick already sent.
public protocol ScheduleStore: Broker {
    /// All schedules.
    func schedules() async throws -> ScheduleBoard

    /// The number of the last change of any schedule, 0 before the first, and the broker's time.
    func scheduleRevision() async throws -> (revision: Int, now: Date)

    /// Puts `record` in the place of the one of this name with this version (0: there must be none), in one step. Its
    /// progress stays; if it is new or `restarting`, its ticks begin from now.
    ///
    /// - Returns: Whether that was done; if not, the schedule was changed meanwhile.
    func keep(_ record: ScheduleRecord, replacing version: Int, restarting: Bool) async throws -> Bool

    /// Forgets a schedule and its progress, if it still has this version. Returns whether that was done.
    func forgetSchedule(_ name: String, version: Int) async throws -> Bool

    /// Deals with ticks in one step: see ``TickStep``.
    func send(_ step: TickStep) async throws -> TickReceipt

    /// Calls `action` whenever schedules have changed, or may have, for as long as the returned value is there.
    func watchSchedules(_ action: @escaping @Sendable () -> Void) async throws -> any Sendable

    /// How many schedulers watch, in all processes together; `nil` where the broker cannot know.
    func countBeats() async throws -> Int?

    /// Sleeps until the broker's clock shows `date`, when it shows `now`; ends early when the caller is cancelled.
    func sleep(until date: Date, from now: Date) async
}

extension ScheduleStore {
    /// Cannot know.
    public func countBeats() async throws -> Int? { nil }

    /// Sleeps by the system's timers.
    public func sleep(until date: Date, from now: Date) async {
        try? await Task.sleep(for: .seconds(max(0, date.timeIntervalSince(now))), tolerance: .zero)
    }
}

/// All schedules of a broker.
public struct ScheduleBoard: Sendable {
    /// The number of the last change that is certainly in here.
    public var revision: Int
    /// The schedules by name, those that the operator removed from the code's among them.
    public var records: [ScheduleRecord]

    /// Makes a board.
    public init(revision: Int, records: [ScheduleRecord]) {
        self.revision = revision
        self.records = records
    }
}

/// Some ticks of one schedule that are to be dealt with: sent or dropped.
///
/// Nothing of it happens unless the schedule has the version and its last tick is the one named here, and unless the time
/// has come, all by the broker's knowledge at that moment.
public struct TickStep: Sendable {
    /// The schedule.
    public var name: String
    /// The version of the schedule that this was reckoned from.
    public var version: Int
    /// The tick up to which everything was dealt with, in milliseconds since 1970, like all that follows.
    public var last: Int
    /// The tick up to which everything is dealt with afterwards.
    public var upTo: Int
    /// When this may happen.
    public var notBefore: Int
    /// The messages of the ticks that are sent.
    public var messages: [OutgoingMessage]
    /// How many ticks are dropped.
    public var dropped: Int

    /// Makes a step.
    public init(
        name: String, version: Int, last: Int, upTo: Int, notBefore: Int, messages: [OutgoingMessage], dropped: Int
    ) {
        self.name = name
        self.version = version
        self.last = last
        self.upTo = upTo
        self.notBefore = notBefore
        self.messages = messages
        self.dropped = dropped
    }

    /// What the step writes: its messages, pushed.
    public var effects: Effects {
        var effects: Effects = []
        for message in messages { effects.append(.push(message)) }
        return effects
    }
}

/// What came of a step.
public enum TickReceipt: Sendable, Hashable {
    /// It was done.
    case done
    /// Another scheduler was first: how far the schedule is now.
    case overtaken(ScheduleRecord.Progress)
    /// The schedule is not what it was, or gone.
    case changed
    /// Its time has not come.
    case early
}

extension ScheduleRecord {
    /// Says that a schedule cannot be read, and what can be done about it.
    package var damage: BrokerError? {
        unreadable.map {
            BrokerError(
                .damaged,
                "the schedule \"\(name)\" cannot be read by this version of Chard; remove it, or add it anew: \($0.reason)"
            )
        }
    }
}
