// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Why a task is not running, and what can be done about it.
public struct Explanation: Sendable, Hashable {
    /// The cause in one word, for scripts: `paused`, `unserved`, `delayed`.
    public var cause: String
    /// The cause in a sentence.
    public var text: String
    /// What to do about it; `nil` where there is nothing to be done.
    public var advice: String?

    /// Makes an explanation.
    public init(_ cause: String, _ text: String, advice: String? = nil) {
        self.cause = cause
        self.text = text
        self.advice = advice
    }
}

extension Operator {
    /// Why a task is not running, the first cause that keeps it from it; for one that runs, where.
    public func why(_ id: String, depth: Int = usualDepth) async throws -> Explanation {
        if let record = try await find(id, depth: depth) { return try await why(record) }
        if let explanation = try await explain(schedule: id) { return explanation }
        if let explanation = try await explain(partOfWorkflow: id) { return explanation }
        if let explanation = await explain(heldElsewhere: id) { return explanation }
        return Explanation(
            "unknown",
            "no such task is known: it was never sent, it follows others that are not over yet (the next of a chain, the "
                + "body of a chord), or it is forgotten",
            advice: "compare the id and the broker's URL with those of the sender")
    }

    /// Why a task is not running of which somebody has found what is known.
    public func why(_ record: TaskRecord) async throws -> Explanation {
        let broker = try app.broker
        let id = record.id
        let inspected = broker.power(.inspection)
        var circumstances = Circumstances(now: app.settings.now())
        circumstances.workers = try await inspected?.workers() ?? []
        circumstances.queue = try await inspected?.queues().first { $0.queue == record.queue }
        circumstances.isRevoked = try await broker.power(.orders)?.isRevoked(id) ?? false
        var explanation = record.explanation(in: circumstances)
        if let unknown = try await explain(unknownNameOf: record, explanation, circumstances.workers) {
            explanation = unknown
        }
        if explanation.cause == "unseen", let elsewhere = await explain(heldElsewhere: id) { return elsewhere }
        guard case .waiting = record.place, let broker = broker.power(.diagnosis),
            let danger = try? await broker.diagnose().first(where: { $0.severity == .danger })
        else { return explanation }
        return Explanation(
            explanation.cause, "\(explanation.text); besides, the broker: \(danger.text)",
            advice: explanation.advice ?? danger.advice)
    }
}

extension Operator {
    /// Why the task of a schedule is not called; `nil` if there is no schedule of that name.
    private func explain(schedule name: String) async throws -> Explanation? {
        guard try app.broker.power(.schedules) != nil, let record = try await schedules.find(name) else { return nil }
        if record.isRemoved {
            return Explanation(
                "removed", "the schedule \(name) is removed", advice: "'beat reset \(name)' brings it back")
        }
        if record.isPaused {
            return Explanation("paused", "the schedule \(name) is paused", advice: "'beat resume \(name)'")
        }
        if (try? await schedules.beats()) == 0 {
            return Explanation(
                "no-beat", "no beat is running, so that the schedule \(name) calls nothing",
                advice: "start 'beat', or a worker with --beat")
        }
        let last = record.progress.taskID.map { "; its last task is \($0)" } ?? ""
        return Explanation(
            "scheduled", "the schedule \(name) is active\(last)", advice: "'beat --list' shows its next times")
    }
}

/// What is around a task, as far as it may keep it from running.
struct Circumstances {
    var now: Date
    var workers: [WorkerReport] = []
    /// The queue of the task.
    var queue: QueueReport?
    var isRevoked = false
}

extension TaskRecord {
    /// Why the task is not running, by what is known of its circumstances. The first cause decides, the one nearest to the task.
    func explanation(in circumstances: Circumstances) -> Explanation {
        switch place {
        case .leased(let queue, let holder, let worker, let since):
            return explainLeased(queue, holder, worker, since, circumstances)
        case .delayed(let queue, let until): return explainDelayed(queue, until, circumstances)
        case .dead(let letter):
            return Explanation(
                "dead", "it could not be run, and is a dead letter (\(letter.reason.rawValue)): \(letter.error)",
                advice: "mend the cause, then 'dead requeue \(letter.id)'")
        case .waiting(let queue, let ahead): return explainWaiting(queue, ahead, circumstances)
        case .gone: return explainGone(circumstances)
        }
    }

    private func explainLeased(
        _ queue: String, _ holder: String, _ worker: WorkerReport?, _ since: Date?, _ circumstances: Circumstances
    ) -> Explanation {
        guard let worker else {
            return Explanation(
                "lost", "it is held by \(holder), which is gone: it is given back when its lease is over, within 20 s",
                advice: circumstances.workers.isEmpty ? "no worker is alive to give it back; start one" : nil)
        }
        if let since {
            let time = Duration.seconds(max(0, circumstances.now.timeIntervalSince(since))).wording
            return Explanation("running", "it runs on \(worker.node), since \(time)")
        }
        let running = worker.vitals.running.count
        return Explanation(
            "held",
            "\(worker.node) has taken it and is about to start it: it runs \(running) of \(worker.concurrency) tasks at once"
        )
    }

    private func explainDelayed(_ queue: String, _ until: Date, _ circumstances: Circumstances) -> Explanation {
        let left = until.timeIntervalSince(circumstances.now)
        if circumstances.isRevoked { return Explanation("revoked", "it is revoked, and will not run") }
        if left > 0, message?.headers[RateLimit.waitedHeader]?.bool == true {
            return Explanation(
                "rate-limited",
                "its task was to run more often than its rate limit permits; it is tried again in \(Duration.seconds(left).wording)",
                advice: "'control rate_limit \(task ?? "TASK") RATE' changes the limit; 0 takes it away")
        }
        if left > 0 {
            let what = attempts.last?.end == .retry ? "it failed, and is tried again" : "it is to run"
            let error = attempts.last?.end == .retry ? attempts.last?.error.map { " (\($0))" } ?? "" : ""
            return Explanation(
                "delayed", "\(what)\(error) at \(Timestamp.text(for: until)), in \(Duration.seconds(left).wording)",
                advice: "'scheduled run \(id)' runs it now")
        }
        return Explanation(
            "overdue", "its time has come, \(Duration.seconds(-left).wording) ago, but nobody moves it to its queue",
            advice: circumstances.workers.isEmpty
                ? "no worker of Chard is alive; Python's workers do not move what is due: start one, on any queue" : nil
        )
    }

    private func explainWaiting(_ queue: String, _ ahead: Int, _ circumstances: Circumstances) -> Explanation {
        if circumstances.isRevoked {
            return Explanation("revoked", "it is revoked: the worker that takes it from \(queue) lets it go")
        }
        if let expires = message?.expires, expires <= circumstances.now {
            return Explanation("expired", "its time was over at \(Timestamp.text(for: expires)): it will not run")
        }
        if circumstances.queue?.isPaused == true {
            return Explanation("paused", "the queue \(queue) is paused", advice: "'queues resume \(queue)'")
        }
        let serving = circumstances.workers.filter { $0.queues.contains(queue) }
        guard !serving.isEmpty else {
            return Explanation(
                "unserved", "no worker of Chard serves the queue \(queue); Python's do not show here",
                advice: "start one with 'worker -Q \(queue)', or send the task to a queue that is served")
        }
        let slots = serving.reduce(0) { $0 + $1.concurrency }
        let running = serving.reduce(0) { $0 + $1.vitals.running.count }
        let workers = serving.count == 1 ? "1 worker serves" : "\(serving.count) workers serve"
        let place =
            switch ahead {
            case 0: "it is next in \(queue)"
            case 1: "1 other is before it in \(queue)"
            default: "\(ahead) others are before it in \(queue)"
            }
        return Explanation(
            running >= slots ? "busy" : "soon",
            "\(place); \(workers) it, with \(running) of \(slots) slots in use",
            advice: running >= slots ? "start more workers, or see with 'workers' what takes so long" : nil)
    }

    private func explainGone(_ circumstances: Circumstances) -> Explanation {
        if let status, status.state.isReady {
            let error = status.exception.map { ": \($0)" } ?? ""
            return Explanation("over", "it is over: \(status.state.rawValue)\(error)")
        }
        if let last = attempts.last, last.end != .retry, last.end != .lost, last.end != .handedBack {
            return Explanation("over", "it is over: \(last.end.rawValue)\(last.error.map { ": \($0)" } ?? "")")
        }
        let depth = searched.map { ", nor among the next \($0) messages of any queue" } ?? ""
        return Explanation(
            "unseen",
            "it is with no worker of Chard\(depth)\(status.map { "; its state is \($0.state.rawValue)" } ?? "")",
            advice: "it may be further back in a long queue, with a Python worker, or deleted ('purge')")
    }
}
