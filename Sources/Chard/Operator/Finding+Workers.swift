// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Finding {
    /// So many dead letters, the newest, are looked at.
    static let mostLetters = 1_000

    /// What about the workers that are alive keeps tasks from running, or makes them run at the wrong time.
    static func workers(_ workers: [WorkerReport]) -> [Finding] {
        guard !workers.isEmpty else { return [Finding(.fine, "workers", "none of Chard's is alive")] }
        let all = [stalled(workers), clocks(workers), versions(workers), names(workers)].compactMap(\.self)
        guard all.isEmpty else { return all }
        return [Finding(.fine, "workers", workers.count == 1 ? "1, in order" : "\(workers.count), all in order")]
    }

    private static func stalled(_ workers: [WorkerReport]) -> Finding? {
        let found = workers.filter { $0.vitals.stalled != nil }
        guard !found.isEmpty else { return nil }
        return Finding(
            .danger, "workers",
            "the intake stands still of \(list(found) { "for \($0.vitals.stalled ?? 0) s" })",
            advice: "it starts anew by itself, and ends the process where that does not help; else restart it")
    }

    private static func clocks(_ workers: [WorkerReport]) -> Finding? {
        let found = workers.filter { $0.vitals.clockOffset != nil }
        guard !found.isEmpty else { return nil }
        return Finding(
            .warning, "workers",
            "the clock is off by \(list(found) { "\(-($0.vitals.clockOffset ?? 0)) s against the broker's" })",
            advice: "set it by NTP; countdowns and expiry times that these workers send are off by as much")
    }

    private static func versions(_ workers: [WorkerReport]) -> Finding? {
        let found = workers.filter { $0.vitals.version != Chard.version }
        guard !found.isEmpty else { return nil }
        return Finding(
            .warning, "workers",
            "another version of Chard than this program's \(Chard.version): "
                + list(found) { $0.vitals.version ?? "an old one" },
            advice: "build and deploy all of them from one version, the workers before those that send")
    }

    private static func names(_ workers: [WorkerReport]) -> Finding? {
        let nodes = Dictionary(grouping: workers, by: \.node).filter { Set($0.value.map(\.pid)).count > 1 }
        guard !nodes.isEmpty else { return nil }
        return Finding(
            .warning, "workers",
            "several processes have one node name: \(nodes.keys.sorted().prefix(5).joined(separator: ", "))",
            advice: "give each a name of its own with -n: lists, events and remote control cannot tell them apart")
    }

    /// Names of workers, each with what is to be said of it; of many, some.
    private static func list(_ workers: [WorkerReport], _ what: (WorkerReport) -> String) -> String {
        let some = workers.prefix(5).map { "\($0.node) (\(what($0)))" }.joined(separator: ", ")
        return workers.count > 5 ? "\(some) and \(workers.count - 5) more" : some
    }

    // MARK: Beside the workers

    /// Whether dead letters have become more of late, and of which tasks.
    static func growing(_ letters: [DeadLetterSummary], now: Date) -> [Finding] {
        let fresh = letters.filter { now.timeIntervalSince($0.letter.diedAt) < 3_600 }
        guard !fresh.isEmpty else { return [] }
        let tasks = Dictionary(grouping: fresh) { $0.letter.task ?? "what cannot be read" }
            .sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }
            .prefix(3).map { "\($0.value.count) of \($0.key)" }.joined(separator: ", ")
        let count = fresh.count == mostLetters ? "\(mostLetters) or more" : "\(fresh.count)"
        return [
            Finding(
                .warning, "dead letters", "growing: \(count) in the last hour, \(tasks)",
                advice: "what fails now, and why: list --state failed --since 1h")
        ]
    }

    /// Whether there is a beat for the schedules.
    static func schedules(_ names: [String], beats: Int) -> Finding {
        if beats > 0 {
            return Finding(.fine, "schedules", "\(names.count) active, and \(beats) beat\(beats == 1 ? "" : "s")")
        }
        let some = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
        return Finding(
            .warning, "schedules", "no beat is running, so that nothing calls \(some)",
            advice: "start 'PROGRAM beat', or a worker with --beat")
    }
}
