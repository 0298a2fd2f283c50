// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization

/// What a process tells its supervisor of itself, once a second.
struct ProcessReport: Sendable, Codable {
    /// What keeps it from living; `nil` while it does.
    var whyNotLive: String?
    /// What keeps it from taking work.
    var whyNotReady: String?
    /// What is new about its metrics.
    var changes: [MetricRegistry.Change]
}

/// The processes of a supervisor, seen from outside as one: the supervisor answers for all of them, at one address.
///
/// Each process tells what is new about its metrics, and these are added up; so the sums keep what processes have done that have
/// ended since, and of one that is killed the last second at most is missing. One process whose intake stands still, or that says
/// nothing any more, is enough not to live; all of them must take work to be ready.
final class FleetProbes: ProbeSource {
    /// A process that has said nothing for so long is stuck: it reports each second, or each five where it does not answer itself.
    private static let patience = Duration.seconds(15)
    /// So long a program may take until it comes to work.
    private static let patienceAtStart = Duration.seconds(60)

    let registry = MetricRegistry()
    private let count: Int
    private let broker: ProbedBroker
    private let state = Mutex<[Int32: Process]>([:])

    private struct Process {
        var slot: Int
        var heardAt = ContinuousClock.now
        var whyNotLive: String?
        var whyNotReady: String? = "it starts"
        var hasReported = false

        func isSilent(at now: ContinuousClock.Instant) -> Bool {
            now - heardAt > (hasReported ? FleetProbes.patience : FleetProbes.patienceAtStart)
        }
    }

    init(_ app: Chard, count: Int) {
        self.count = count
        broker = ProbedBroker(app, Gauges(app, factory: registry))
    }

    // MARK: What the supervisor sees

    func started(_ pid: Int32, slot: Int) {
        state.withLock { $0[pid] = Process(slot: slot) }
    }

    func heard(_ report: some StringProtocol, from pid: Int32) {
        guard let report = try? JSON.decode(ProcessReport.self, from: Array(report.utf8)) else { return }
        registry.add(report.changes, from: pid)
        state.withLock { processes in
            processes[pid]?.heardAt = .now
            processes[pid]?.hasReported = true
            processes[pid]?.whyNotLive = report.whyNotLive
            processes[pid]?.whyNotReady = report.whyNotReady
        }
    }

    func ended(_ pid: Int32) {
        state.withLock { $0[pid] = nil }
        registry.forget(process: pid)
    }

    // MARK: What is answered

    func whyNotLive() async -> String? {
        let now = ContinuousClock.now
        let problems = state.withLock { processes in
            processes.sorted { $0.key < $1.key }.compactMap { pid, process -> String? in
                if process.isSilent(at: now) {
                    return
                        "process \(process.slot + 1) (pid \(pid)): silent for \(Int((now - process.heardAt).seconds)) s"
                }
                return process.whyNotLive.map { "process \(process.slot + 1) (pid \(pid)): \($0)" }
            }
        }
        return problems.isEmpty ? nil : problems.joined(separator: "\n")
    }

    func whyNotReady() async -> String? {
        let (ready, problem) = state.withLock { processes in
            let slots = Set(processes.values.filter { $0.whyNotReady == nil }.map(\.slot))
            let problem = processes.values.lazy.compactMap { process in
                process.whyNotReady.map { "process \(process.slot + 1): \($0)" }
            }.first
            return (slots.count, problem)
        }
        if ready < count {
            return "\(ready) of \(count) processes take work\(problem.map { "; \($0)" } ?? "")"
        }
        return await broker.whyNotReached()
    }

    func metrics() async -> String {
        await broker.record()
        return MetricText.render(registry)
    }
}
