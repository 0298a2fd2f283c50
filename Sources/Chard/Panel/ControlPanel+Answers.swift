// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What only tells.
extension ControlPanel {
    /// More ids are not told at once.
    static let mostRevoked = 1_000
    /// Nor more delayed tasks of one queue.
    private static let mostScheduled = 100
    /// Arguments are shown of messages up to this size.
    private static let shownBytes = 16_384
    private static let pid = Int(ProcessInfo.processInfo.processIdentifier)

    // MARK: The worker

    var stats: JSON {
        var total: [String: JSON] = [:]
        for task in app.tasks where task.runs.value > 0 { total[task.name] = .integer(task.runs.value) }
        var stats: JSON = [
            "total": .object(total), "pid": .integer(Self.pid), "clock": .string("\(clock.now)"),
            "uptime": .integer(Int(app.settings.now().timeIntervalSince(worker.startedAt))),
            "pool": [
                "implementation": "chard:slots", "max-concurrency": .integer(worker.concurrency),
                "processes": [.integer(Self.pid)], "max-tasks-per-child": "N/A", "put-guarded-by-semaphore": false,
                "timeouts": [0, 0], "writes": ["total": .integer(worker.vitals.done)],
            ],
            "broker": .object(broker.address),
            // What is in hand adapts to how long tasks take.
            "prefetch_count": .integer(worker.concurrency), "rusage": Self.usage,
        ]
        if let range = autoscale.withLock({ $0 }) {
            stats["autoscaler"] = [
                "max": .integer(range.most), "min": .integer(range.least), "current": .integer(worker.concurrency),
                "qty": .integer(worker.held.count),
            ]
        }
        return stats
    }

    /// What the process has used, by the names that Python's `resource` has for it.
    private static var usage: JSON {
        var usage = rusage()
        #if canImport(Darwin)
        getrusage(RUSAGE_SELF, &usage)
        #else
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #endif
        var ticks = tms()
        times(&ticks)
        let second = Double(sysconf(Int32(_SC_CLK_TCK)))
        return [
            "utime": .number(Double(ticks.tms_utime) / second), "stime": .number(Double(ticks.tms_stime) / second),
            "maxrss": .integer(Int(usage.ru_maxrss)), "minflt": .integer(Int(usage.ru_minflt)),
            "majflt": .integer(Int(usage.ru_majflt)), "inblock": .integer(Int(usage.ru_inblock)),
            "oublock": .integer(Int(usage.ru_oublock)), "nvcsw": .integer(Int(usage.ru_nvcsw)),
            "nivcsw": .integer(Int(usage.ru_nivcsw)),
        ]
    }

    /// The settings that have a name in Celery.
    var configuration: JSON {
        [
            "broker_url": .string(broker.location),
            "result_backend": .string((try? app.results.location) ?? broker.location),
            "task_default_queue": .string(app.settings.defaultQueue),
            "result_expires": .number(app.settings.resultExpires.seconds), "task_acks_late": true,
            "worker_concurrency": .integer(worker.concurrency), "worker_enable_remote_control": true,
            "worker_send_task_events": .bool(worker.sendsEventsFromStart),
            "task_send_sent_event": .bool(app.settings.sendsSentEvents),
            "enable_utc": true, "timezone": "UTC", "accept_content": ["json"],
        ]
    }

    var report: String {
        var text = """

            software -> chard:\(Chard.version) (\(app.name)) swift:6
            platform -> system:\(Self.system) pid:\(Self.pid)
            settings -> transport:\(broker.address["transport"]?.string ?? "?") results:\((try? app.results.location) ?? "?")


            """
        for (name, value) in (configuration.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            text += "\(name): \(PythonText.value(value.encoded()))\n"
        }
        return text
    }

    static var system: String {
        #if os(Linux)
        "Linux"
        #elseif os(macOS)
        "Darwin"
        #else
        "Other"
        #endif
    }

    /// A queue, as kombu describes those that are addressed by their names.
    static func queue(_ name: String) -> JSON {
        let exchange: JSON = [
            "name": .string(name), "type": "direct", "arguments": nil, "durable": true, "passive": false,
            "auto_delete": false, "delivery_mode": nil, "no_declare": false,
        ]
        return [
            "name": .string(name), "exchange": exchange, "routing_key": .string(name), "queue_arguments": nil,
            "binding_arguments": nil, "consumer_arguments": nil, "durable": true, "exclusive": false,
            "auto_delete": false, "no_ack": false, "alias": nil, "bindings": [], "no_declare": nil, "expires": nil,
            "message_ttl": nil, "max_length": nil, "max_length_bytes": nil, "max_priority": nil,
        ]
    }

    // MARK: Tasks

    func registered(_ arguments: ControlArguments) throws(ControlError) -> JSON {
        var items = try arguments.texts("taskinfoitems")
        if items.isEmpty { items = ["exchange", "routing_key", "rate_limit"] }
        let tasks = app.tasks.filter { arguments.flag("builtins") || !$0.name.hasPrefix("celery.") }
        return .array(
            tasks.map { task in
                let known = description(of: task)
                let shown = items.compactMap { item in known[item].map { "\(item)=\($0)" } }
                return .string(shown.isEmpty ? task.name : "\(task.name) [\(shown.joined(separator: " "))]")
            })
    }

    /// What there is to say about a task, by the names of Celery's attributes.
    private func description(of task: RegisteredTask) -> [String: String] {
        let options = task.options
        var items: [String: String] = [
            "name": task.name, "ignore_result": options.ignoresResult ? "True" : "False",
            "track_started": options.tracksStart ? "True" : "False", "acks_late": "True",
            "max_retries": "\(options.retry.maxRetries)",
        ]
        items["rate_limit"] = worker.rates[task]?.description
        items["queue"] = options.queue
        items["priority"] = options.priority.map { "\($0)" }
        items["soft_time_limit"] = options.softTimeLimit.map { "\($0.seconds)" }
        items["time_limit"] = options.timeLimit.map { "\($0.seconds)" }
        items["expires"] = options.expires.map { "\($0.seconds)" }
        return items
    }

    func active(isSafe: Bool) -> JSON {
        .array(worker.held.filter { $0.since != nil }.compactMap { info(of: $0, isSafe: isSafe) })
    }

    var reserved: JSON {
        .array(worker.held.filter { $0.since == nil }.compactMap { info(of: $0) })
    }

    /// What waits for its time in the queues that are served. It is in the broker, not here: other workers of these queues say
    /// the same.
    func scheduled() async throws -> JSON {
        guard let broker = broker.power(.delayedTasks) else { return [] }
        var entries: [JSON] = []
        for queue in worker.queues {
            for task in try await broker.delayedTasks(in: queue, limit: Self.mostScheduled) {
                guard let info = info(of: task) else { continue }
                entries.append([
                    "eta": .string(Timestamp.text(for: task.dueAt)), "priority": .integer(task.priority),
                    "request": info,
                ])
            }
        }
        return .array(entries)
    }

    func query(_ ids: [String]) async throws -> JSON {
        var found: [String: JSON] = [:]
        for task in worker.held {
            guard let id = task.message?.id, ids.contains(id), let info = info(of: task) else { continue }
            found[id] = [.string(task.since == nil ? "reserved" : "active"), info]
        }
        let served = Set(worker.queues)
        for id in ids.prefix(Self.mostScheduled) where found[id] == nil {
            guard let task = try await broker.power(.delayedTasks)?.delayedTask(id), served.contains(task.queue),
                let info = info(of: task)
            else { continue }
            found[id] = ["scheduled", info]
        }
        return .object(found)
    }

    private func info(of task: HeldTask, isSafe: Bool = false) -> JSON? {
        guard let message = task.message else { return nil }
        return info(
            of: message, on: task.delivery.queue, bytes: task.delivery.payload.count, since: task.since, isSafe: isSafe)
    }

    private func info(of task: DelayedTask) -> JSON? {
        guard let message = try? TaskMessage(decoding: task.payload, limits: .held) else { return nil }
        return info(of: message, on: task.queue, bytes: task.payload.count, since: nil, isSafe: false)
    }

    private func info(
        of message: TaskMessage, on queue: String, bytes: Int, since: Double?, isSafe: Bool
    ) -> JSON {
        var (positional, keywords): (JSON, JSON) = ("...", "...")
        let texts = app.argumentTexts
        if texts.isShown, bytes <= Self.shownBytes, let body = try? message.decodeBody(limits: app.settings.limits) {
            let parameters = app.parameters(of: message.task)
            if isSafe {
                positional = texts.positional(body, of: parameters).map(JSON.string) ?? nil
                keywords = texts.keywords(body).map(JSON.string) ?? nil
            } else if let arguments = try? body.arguments() {
                let named = zip(arguments.positional.indices, arguments.positional).map { index, value in
                    index < parameters.count && texts.hides(parameters[index].name) ? "***" : texts.redacted(value)
                }
                (positional, keywords) = (.array(named), texts.redacted(.object(arguments.keywords)))
            }
        }
        return [
            "id": .string(message.id), "name": .string(message.shadow ?? message.task), "args": positional,
            "kwargs": keywords, "type": .string(message.task), "hostname": .string(worker.node),
            "time_start": since.map(JSON.number) ?? nil,
            // A message is held until its task has ended.
            "acknowledged": false,
            "delivery_info": [
                "exchange": .string(message.properties.exchange), "routing_key": .string(queue),
                "priority": .integer(message.properties.priority), "redelivered": .bool(message.isRedelivered),
            ],
            "worker_pid": since == nil ? nil : .integer(Self.pid),
        ]
    }

    /// What a starting worker asks all others for: which tasks are revoked, and what time it is. What it knows itself becomes
    /// an order that holds.
    func hello(_ arguments: ControlArguments) async throws -> JSON {
        guard try arguments.text("from_node") != worker.node else { return .null }
        let revoked = try arguments.texts("revoked").suffix(Self.mostRevoked)
        if !revoked.isEmpty {
            _ = try await broker.revokeIfNew(
                Array(revoked), terminating: false, timeToLive: Self.revocationLifetime,
                statusLifetime: app.settings.resultExpires)
        }
        return [
            "revoked": .array(try await broker.revokedTasks(limit: Self.mostRevoked).map(JSON.string)),
            "clock": .integer(clock.forward()),
        ]
    }
}
