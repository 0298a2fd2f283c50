// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A task that is called again and again: its name, when, and what is called.
public struct Schedule: Sendable, Hashable {
    /// The name, unique in the broker.
    public var name: String
    /// When its ticks are.
    public var timing: Timing
    /// What is sent at each tick.
    public var call: PeriodicCall
    /// No tick comes before this; intervals count from here.
    public var startsAt: Date?
    /// No tick comes after this.
    public var endsAt: Date?
    /// Each tick is sent up to so much later than its time says.
    public var jitter: Duration = .zero
    /// Whether there are ticks at all.
    public var isEnabled = true
    /// What becomes of ticks that came while no scheduler was there.
    public var catchUp = ScheduleOptions.CatchUp.latest
    /// A tick that is late by no more than this was not missed.
    public var grace: Duration = .seconds(10)
    /// What a tick does whose predecessor's task is unfinished.
    public var overlap = ScheduleOptions.Overlap.allow
    /// After so long without any status a task counts as ended.
    public var overlapLimit: Duration = .seconds(3600)

    /// Makes a schedule with the default options.
    public init(_ name: String, _ timing: Timing, call: PeriodicCall) {
        self.name = name
        self.timing = timing
        self.call = call
    }

    /// Makes a schedule.
    public init(_ name: String, _ timing: Timing, call: PeriodicCall, options: ScheduleOptions) {
        self.init(name, timing, call: call)
        startsAt = options.startsAt
        endsAt = options.endsAt
        jitter = options.jitter
        isEnabled = options.isEnabled
        catchUp = options.catchUp
        grace = options.grace
        overlap = options.overlap
        overlapLimit = options.overlapLimit
    }

    /// The first tick after `date`; `nil` if none comes any more. Jitter comes on top.
    /// - Throws: ``ScheduleError`` if the time zone cannot be read.
    public func next(after date: Date, in database: TimeZoneDatabase = .system) throws(ScheduleError) -> Date? {
        try next(after: date.milliseconds, database).map(Date.init(milliseconds:))
    }

    /// The next `count` ticks after `date`, fewer if it ends before. Jitter comes on top.
    /// - Throws: ``ScheduleError`` if the time zone cannot be read.
    public func upcoming(
        _ count: Int = 5, after date: Date, in database: TimeZoneDatabase = .system
    ) throws(ScheduleError) -> [Date] {
        var dates: [Date] = []
        var time = date.milliseconds
        while dates.count < count, let tick = try next(after: time, database) {
            dates.append(Date(milliseconds: tick))
            time = tick
        }
        return dates
    }

    /// For people: when its ticks are, and between which dates.
    public var words: String {
        var words = timing.words
        if let startsAt { words += ", from \(Timestamp.text(for: startsAt).prefix(16).replacing("T", with: " ")) UTC" }
        if let endsAt { words += ", until \(Timestamp.text(for: endsAt).prefix(16).replacing("T", with: " ")) UTC" }
        return words
    }

    /// All that makes no sense in it, each with the way to mend it.
    public func problems(in database: TimeZoneDatabase = .system) -> [String] {
        var problems: [String] = []
        if name.isEmpty { problems.append("its name is the empty string") }
        if call.task.isEmpty { problems.append("its task's name is the empty string") }
        if let problem = timing.problem(in: database) { problems.append(problem.description) }
        if let startsAt, let endsAt, endsAt < startsAt { problems.append("it would end before it starts") }
        let spans = [
            ("jitter", jitter), ("grace", grace), ("overlap limit", overlapLimit), ("call's expiry", call.expires),
            ("call's soft time limit", call.softTimeLimit), ("call's time limit", call.timeLimit),
        ]
        for case (let what, let value?) in spans where !(.zero...Timing.longest ~= value) {
            problems.append("its \(what) is \(value); it must not be below zero, nor a century")
        }
        if jitter > .zero, let gap = timing.shortestGap(in: database), jitter > gap {
            problems.append("its jitter (\(jitter)) is longer than the time between two of its ticks (\(gap))")
        }
        if case .all(let count) = catchUp, !(1...1000 ~= count) {
            problems.append("it would catch up on \(count) ticks; 1 to 1000 are possible")
        }
        if overlap != .allow, call.ignoresResult == true {
            problems.append(
                "overlap '\(overlap.rawValue)' needs the task's status to know its end, and its result is ignored")
        }
        return problems + call.problems
    }

    // Ticks are milliseconds since 1970.

    private var anchor: Int { startsAt?.milliseconds ?? 0 }

    func next(after time: Int, _ database: TimeZoneDatabase) throws(ScheduleError) -> Int? {
        let from = startsAt.map { max(time, $0.milliseconds - 1) } ?? time
        guard let tick = try timing.next(after: from, anchor: anchor, database) else { return nil }
        if let endsAt, tick > endsAt.milliseconds { return nil }
        return tick
    }

    func previous(before time: Int, _ database: TimeZoneDatabase) throws(ScheduleError) -> Int? {
        let from = endsAt.map { min(time, $0.milliseconds + 1) } ?? time
        guard let tick = try timing.previous(before: from, anchor: anchor, database) else { return nil }
        if let startsAt, tick < startsAt.milliseconds { return nil }
        return tick
    }

    /// By how much a tick is sent later than its time says: no luck, but a number that all schedulers reckon alike.
    func delay(of tick: Int) -> Int {
        let range = jitter.wholeMilliseconds
        guard range > 0 else { return 0 }
        // FNV-1a, then the finish of splitmix64: neighbouring ticks must not have neighbouring delays.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "\(name)/\(tick)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((hash ^ hash >> 31) % UInt64(range))
    }
}
