// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// What changes something.
extension ControlPanel {
    /// More tasks at once are a slip.
    private static let mostSlots = 10_000
    /// How long it is remembered what is revoked, as for an operator's order.
    static let revocationLifetime: Duration = .seconds(30 * 86_400)

    private func doing(_ change: () throws(AppError) -> Void, _ answer: String) -> JSON {
        do throws(AppError) {
            try change()
            return ["ok": .string(answer)]
        } catch {
            return ["error": .string("\(error)")]
        }
    }

    // MARK: Tasks

    /// Revokes tasks for good, once for all workers that are told; and cancels those that run here.
    /// - Parameter isOrdered: Whether that is in the broker already.
    func revoke(
        _ arguments: ControlArguments, terminating: Bool? = nil, isOrdered: Bool = false
    ) async throws -> JSON {
        let ids = try arguments.texts("task_id")
        let terminating = terminating ?? arguments.flag("terminate")
        let running = Set(ids).intersection(worker.held.compactMap(\.message?.id))
        if !isOrdered {
            _ = try await broker.revokeIfNew(
                ids, terminating: terminating, timeToLive: Self.revocationLifetime,
                statusLifetime: app.settings.resultExpires)
        }
        guard terminating else {
            let shown = ids.map { PythonText.value(JSON.string($0).encoded()) }.joined(separator: ", ")
            return ["ok": .string("tasks {\(shown)} flagged as revoked")]
        }
        worker.terminate(Set(ids))
        guard !running.isEmpty else { return ["ok": "terminate: tasks unknown"] }
        return ["ok": .string("terminate: " + ids.filter(running.contains).joined(separator: ", "))]
    }

    /// Revokes what bears a stamp, for as long as this worker runs: as in Celery, it is not kept.
    func revokeByStamps(_ arguments: ControlArguments) throws(ControlError) -> JSON {
        var stamps: [String: [JSON]] = [:]
        switch arguments["headers"] {
        case .object(let members):
            stamps = members.mapValues { $0.array ?? [$0] }
        case .array(let pairs):
            for pair in pairs {
                let parts = (pair.string ?? "").split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else {
                    throw .value("\(arguments.method)() takes 'name=value', and got \(ControlArguments.shown(pair))")
                }
                stamps[String(parts[0])] = [.string(String(parts[1]))]
            }
        default:
            throw .type("\(arguments.method)() takes an object as 'headers'")
        }
        worker.revokedStamps.add(stamps)
        let shown = PythonText.value(arguments["headers"].encoded())
        guard arguments.flag("terminate") else {
            return ["ok": .string("headers \(shown) flagged as revoked, but not terminated")]
        }
        var ended: [String: [JSON]] = [:]
        var ids: Set<String> = []
        for task in worker.held where task.since != nil {
            guard let message = task.message else { continue }
            let common = RevokedStamps.common(stamps, message)
            if !common.isEmpty { ids.insert(message.id) }
            ended.merge(common) { old, new in old + new.filter { !old.contains($0) } }
        }
        guard !ids.isEmpty else { return ["ok": .string("headers \(shown) were not terminated")] }
        worker.terminate(ids)
        return [
            "ok": .string("headers \(PythonText.value(JSON.object(ended.mapValues(JSON.array)).encoded())) revoked")
        ]
    }

    func setRateLimit(_ arguments: ControlArguments) throws(ControlError) -> JSON {
        let value = arguments["rate_limit"]
        let text = value.string ?? (value.number.map { "\($0)" }) ?? (value.isNull ? "0" : value.description)
        let number = text.split(separator: "/", omittingEmptySubsequences: false).first.flatMap { Double($0) }
        let isOff = text.isEmpty || number == 0
        let limit = RateLimit(text)
        guard isOff || limit != nil else {
            return ["error": .string("Invalid rate limit string: \(ControlArguments.shown(value))")]
        }
        guard let name = arguments["task_name"].string, app.registry[name] != nil else {
            return ["error": "unknown task"]
        }
        worker.rates.set(isOff ? nil : limit, of: name)
        logger.info(
            "remote control has set the rate limit of a task",
            metadata: ["task": "\(name)", "rate": "\(isOff ? "none" : text)"])
        return ["ok": isOff ? "rate limit disabled successfully" : "new rate limit set successfully"]
    }

    func setTimeLimit(_ arguments: ControlArguments) throws(ControlError) -> JSON {
        guard let name = arguments["task_name"].string, app.registry[name] != nil else {
            return ["error": "unknown task"]
        }
        let limits = TaskTimeLimits.Limits(soft: try arguments.seconds("soft"), hard: try arguments.seconds("hard"))
        worker.timeLimits.set(limits, of: name)
        logger.info(
            "remote control has set the time limits of a task",
            metadata: [
                "task": "\(name)", "soft": "\(limits.soft.map { "\($0)" } ?? "none")",
                "hard": "\(limits.hard.map { "\($0)" } ?? "none")",
            ])
        return ["ok": "time limits set successfully"]
    }

    func turnEvents(on isOn: Bool) -> JSON {
        guard let isNews = worker.sendEvents(isOn) else { return ["error": "event dispatcher unavailable"] }
        return ["ok": .string("task events \(isNews ? "" : "already ")\(isOn ? "enabled" : "disabled")")]
    }

    // MARK: Slots

    func grow(by count: Int) throws(ControlError) -> JSON {
        guard count <= Self.mostSlots, worker.concurrency + count <= Self.mostSlots else {
            throw .value("a worker runs no more than \(Self.mostSlots) tasks at once")
        }
        let concurrency = worker.concurrency + count
        return doing({ () throws(AppError) in try worker.setConcurrency(concurrency) }, "pool will grow")
    }

    func shrink(by count: Int) throws(ControlError) -> JSON {
        guard count < worker.concurrency else {
            throw .value("Can't shrink pool by \(count): \(worker.concurrency) tasks run at once, and one is the least")
        }
        let concurrency = worker.concurrency - count
        return doing({ () throws(AppError) in try worker.setConcurrency(concurrency) }, "pool will shrink")
    }

    /// The most that run at once. An idle slot costs nothing, so there is nothing to be scaled down to the least.
    func autoscale(_ arguments: ControlArguments) throws(ControlError) -> JSON {
        let most = try arguments.count("max", else: worker.concurrency)
        let least = try arguments.count("min", else: min(most, autoscale.withLock { $0 }?.least ?? 1))
        guard (1...Self.mostSlots).contains(most), least <= most else {
            throw .value(
                "autoscale() takes 1 <= max <= \(Self.mostSlots) and min <= max, and got max=\(most) min=\(least)")
        }
        autoscale.withLock { $0 = (most, least) }
        return doing(
            { () throws(AppError) in try worker.setConcurrency(most) }, "autoscale now max=\(most) min=\(least)")
    }

    // MARK: Queues

    func consume(_ arguments: ControlArguments) throws(ControlError) -> JSON {
        let queue = try arguments.text("queue")
        for name in ["exchange", "routing_key"] {
            if let other = arguments[name].string, !other.isEmpty, other != queue {
                throw .value("a queue is addressed by its name here: \(name) \(other.limited) is not \(queue.limited)")
            }
        }
        return doing({ () throws(AppError) in try worker.consume(queue) }, "add consumer \(queue)")
    }

    func cancel(consuming queue: String) -> JSON {
        doing({ () throws(AppError) in try worker.cancel(consuming: queue) }, "no longer consuming from \(queue)")
    }
}
