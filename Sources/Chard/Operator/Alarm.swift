// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Something about the tasks that somebody should look at, in a sentence.
package struct Alarm: Sendable, Hashable {
    /// How much it matters.
    package var severity: Finding.Severity
    /// In a sentence.
    package var text: String
    /// What it is about, by which a page can be found.
    package var subject: Subject

    package enum Subject: Sendable, Hashable {
        case queue(String)
        case queues, failures, deadLetters, workers, schedules
    }

    /// What alarms are reckoned from.
    package struct Scene: Sendable {
        package var queues: [QueueReport] = []
        /// The queues that workers serve, Python's where they could be asked.
        package var served: Set<String> = []
        /// Whether any worker is alive.
        package var isAnybodyAlive = false
        package var trend = QueueTrend()
        package var tally = Tally()
        /// The dead letters of the last hour, as far as they were looked at.
        package var freshLetters: [DeadLetterSummary] = []
        /// The schedules that nobody calls, since no beat runs.
        package var idleSchedules: [String] = []
        package var now: Date

        package init(now: Date) { self.now = now }
    }

    /// So many queues are named with each kind of trouble.
    private static let mostQueues = 5
}

extension Alarm.Scene {
    /// What is to be said of it, the worst first.
    package var alarms: [Alarm] {
        (nobodyAlive + unserved + failures + letters + paused + growing + schedules)
            .sorted { $0.severity.weight > $1.severity.weight }
    }

    private var nobodyAlive: [Alarm] {
        let waiting = queues.reduce(0) { $0 + $1.waiting + $1.delayed }
        guard !isAnybodyAlive, waiting > 0 else { return [] }
        return [
            Alarm(
                severity: .danger, text: "No worker is alive, and \(Self.number(waiting, "task")) wait.",
                subject: .workers)
        ]
    }

    private var unserved: [Alarm] {
        guard isAnybodyAlive else { return [] }
        let found = queues.filter { $0.waiting + $0.delayed > 0 && !served.contains($0.queue) && !$0.isPaused }
        return Self.each(found.sorted { $0.waiting > $1.waiting }, .danger, "are served by nobody") { queue in
            let isGrowing = trend.growth(of: queue.queue) != nil
            let how = isGrowing ? "grows and no worker takes it" : "is served by no worker"
            let count = queue.waiting + queue.delayed
            return "The queue \(queue.queue) \(how): \(Self.number(count, "task")) wait\(count == 1 ? "s" : "")."
        }
    }

    private var paused: [Alarm] {
        let found = queues.filter { $0.isPaused && $0.waiting > 0 }
        return Self.each(found.sorted { $0.waiting > $1.waiting }, .warning, "are paused with messages waiting") {
            "The queue \($0.queue) is paused, with \(Self.number($0.waiting, "message")) waiting."
        }
    }

    private var growing: [Alarm] {
        let found = queues.filter { served.contains($0.queue) && !$0.isPaused && trend.growth(of: $0.queue) != nil }
        return Self.each(found.sorted { $0.waiting > $1.waiting }, .warning, "grow") { queue in
            guard let first = trend.growth(of: queue.queue) else { return "The queue \(queue.queue) grows." }
            let span = Duration.seconds(now.timeIntervalSince(first.at)).wording
            return "The queue \(queue.queue) grows faster than its workers take it: from \(first.waiting) to "
                + "\(queue.waiting) in \(span)."
        }
    }

    /// Whether of the last five minutes' tasks more failed than of the hour's before.
    private var failures: [Alarm] {
        let slots = tally.hour(until: now)
        let (last, before) = (Array(slots.suffix(5)).total, Array(slots.dropLast(5)).total)
        guard last.failed >= 5, last.over > 0 else { return [] }
        let share = Double(last.failed) / Double(last.over)
        let usual = before.over > 0 ? Double(before.failed) / Double(before.over) : 0
        guard share > 0.02, share > usual * 2 else { return [] }
        func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
        return [
            Alarm(
                severity: .danger,
                text:
                    "Failures went up: \(percent(share)) of the tasks of the last 5 minutes, \(percent(usual)) before.",
                subject: .failures)
        ]
    }

    private var letters: [Alarm] {
        guard !freshLetters.isEmpty else { return [] }
        let tasks = Dictionary(grouping: freshLetters) { $0.letter.task ?? "what cannot be read" }
            .sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }
            .prefix(3).map { "\($0.value.count) of \($0.key)" }.joined(separator: ", ")
        let count = Self.number(freshLetters.count, "message")
        return [
            Alarm(
                severity: .warning, text: "Dead letters grow: \(count) in the last hour, \(tasks).",
                subject: .deadLetters)
        ]
    }

    private var schedules: [Alarm] {
        guard let first = idleSchedules.first else { return [] }
        let rest = idleSchedules.count > 1 ? " and \(idleSchedules.count - 1) more" : ""
        return [
            Alarm(
                severity: .danger, text: "No beat is running, so that nothing calls \(first)\(rest).",
                subject: .schedules)
        ]
    }

    /// An alarm for each of some queues, and one for the rest.
    private static func each(
        _ queues: [QueueReport], _ severity: Finding.Severity, _ what: String, _ text: (QueueReport) -> String
    ) -> [Alarm] {
        let named = queues.prefix(Alarm.mostQueues).map {
            Alarm(severity: severity, text: text($0), subject: .queue($0.queue))
        }
        guard queues.count > Alarm.mostQueues else { return named }
        let rest = queues.count - Alarm.mostQueues
        return named + [Alarm(severity: severity, text: "\(rest) more queues \(what).", subject: .queues)]
    }

    private static func number(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}

extension Finding.Severity {
    /// The greater, the worse.
    package var weight: Int {
        switch self {
        case .fine: 0
        case .warning: 1
        case .danger: 2
        }
    }
}
