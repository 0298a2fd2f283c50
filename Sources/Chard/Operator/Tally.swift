// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What a history comes to: how many attempts ended how and when, and how long tasks waited and ran. A value, without I/O or a clock.
///
/// It is told every attempt once and holds those of the last day, in a space that does not grow with them.
package struct Tally: Sendable {
    /// The seconds of the two kinds of slots in which attempts are counted by the time of their end.
    package static let (minute, quarter) = (60, 900)
    private static let hour = 3_600
    private static let day = 86_400

    /// Of more names of tasks or queues than that, the rest is counted together.
    package static let mostNames = 300
    /// The name of that rest.
    package static let others = "(others)"
    /// So many losses are remembered one by one, the newest.
    package static let mostLosses = 200

    /// What is known of a task's name, or of a queue.
    package struct Figures: Sendable {
        package var counts = TallyCounts()
        /// How long attempts ran.
        package var run = Spread()
        /// How long tasks waited before their first attempt: from when it could have begun.
        package var wait = Spread()

        fileprivate mutating func add(_ other: Figures) {
            counts.add(other.counts)
            run.add(other.run)
            wait.add(other.wait)
        }
    }

    private var minutes: [Int: TallyCounts] = [:]
    private var quarters: [Int: TallyCounts] = [:]
    private var tasks: [Int: [String: Figures]] = [:]
    private var queues: [Int: [String: Figures]] = [:]
    private var taskNames: Set<String> = []
    private var queueNames: Set<String> = []
    /// The attempts whose workers were lost, the newest last.
    package private(set) var losses: [Attempt] = []
    /// How many attempts it was told of.
    package private(set) var told = 0

    /// Nothing yet.
    package init() {}

    /// Counts an attempt; one that ended more than a day before `now` is forgotten already.
    package mutating func add(_ attempt: Attempt, now: Date) {
        told += 1
        let end = attempt.endedAt.timeIntervalSince1970
        guard abs(end) < 1e11, now.timeIntervalSince(attempt.endedAt) < Double(Self.day) else { return }
        let second = Int(end.rounded(.down))
        if now.timeIntervalSince(attempt.endedAt) < Double(Self.hour + Self.minute) {
            minutes[second / Self.minute, default: TallyCounts()].add(attempt.end)
        }
        quarters[second / Self.quarter, default: TallyCounts()].add(attempt.end)
        let hour = second / Self.hour
        let task = Self.name(attempt.task, among: &taskNames)
        let queue = Self.name(attempt.queue, among: &queueNames)
        Self.count(attempt, &tasks[hour, default: [:]][task, default: Figures()])
        Self.count(attempt, &queues[hour, default: [:]][queue, default: Figures()])
        guard attempt.end == .lost else { return }
        losses.append(attempt)
        if losses.count > Self.mostLosses { losses.removeFirst() }
    }

    /// Forgets what ended more than a day ago, and names that nothing of the last day has.
    package mutating func forget(now: Date) {
        let now = Int(now.timeIntervalSince1970)
        minutes = minutes.filter { $0.key > (now - Self.hour) / Self.minute - 1 }
        quarters = quarters.filter { $0.key > (now - Self.day) / Self.quarter - 1 }
        let before = tasks.count
        tasks = tasks.filter { $0.key > (now - Self.day) / Self.hour - 1 }
        queues = queues.filter { $0.key > (now - Self.day) / Self.hour - 1 }
        losses.removeAll { $0.endedAt.timeIntervalSince1970 < Double(now - Self.day) }
        guard tasks.count < before else { return }
        taskNames = Set(tasks.values.flatMap(\.keys))
        queueNames = Set(queues.values.flatMap(\.keys))
    }

    private static func count(_ attempt: Attempt, _ figures: inout Figures) {
        figures.counts.add(attempt.end)
        guard let start = attempt.startedAt else { return }
        if attempt.end != .lost { figures.run.add(attempt.endedAt.timeIntervalSince(start)) }
        if let wait = attempt.wait { figures.wait.add(wait) }
    }

    private static func name(_ name: String, among names: inout Set<String>) -> String {
        let name = name.isEmpty ? "?" : name
        if names.contains(name) { return name }
        guard names.count < mostNames else { return others }
        names.insert(name)
        return name
    }
}

// MARK: - What it says

extension Tally {
    /// Some time, and what ended in it.
    package struct Slot: Sendable {
        /// When it begins.
        package var start: Date
        package var counts: TallyCounts
    }

    /// The last hour, by the minute, the present one last.
    package func hour(until now: Date) -> [Slot] { Self.slots(minutes, of: Self.minute, 60, until: now) }

    /// The last day, by the quarter of an hour, the present one last.
    package func day(until now: Date) -> [Slot] { Self.slots(quarters, of: Self.quarter, 96, until: now) }

    /// The tasks by their names, and the queues, of the last day.
    package var byTask: [String: Figures] { Self.sum(tasks) }
    package var byQueue: [String: Figures] { Self.sum(queues) }

    private static func slots(_ all: [Int: TallyCounts], of length: Int, _ count: Int, until now: Date) -> [Slot] {
        let last = Int(now.timeIntervalSince1970) / length
        return (last - count + 1...last).map { slot in
            Slot(
                start: Date(timeIntervalSince1970: Double(slot * length)), counts: all[slot] ?? TallyCounts())
        }
    }

    private static func sum(_ hours: [Int: [String: Figures]]) -> [String: Figures] {
        var sum: [String: Figures] = [:]
        for names in hours.values {
            for (name, figures) in names { sum[name, default: Figures()].add(figures) }
        }
        return sum
    }
}

extension [Tally.Slot] {
    /// All of them together.
    package var total: TallyCounts { reduce(into: TallyCounts()) { $0.add($1.counts) } }
}

extension Attempt {
    /// For how many seconds the task waited before its first attempt, from when it could have begun; `nil` of later attempts, and
    /// where nobody knows.
    ///
    /// When a message was sent it says in whole seconds: half a second of what is between is taken off, so that it is right on average.
    package var wait: Double? {
        guard number == 1, losses == 0, let startedAt, let sentAt else { return nil }
        if let dueAt, dueAt > sentAt { return max(0, startedAt.timeIntervalSince(dueAt)) }
        return max(0, startedAt.timeIntervalSince(sentAt) - 0.5)
    }
}
