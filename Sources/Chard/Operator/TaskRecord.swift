// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What is known of one task: where it is now, whence it came, and every attempt at it.
public struct TaskRecord: Sendable {
    /// Where a task is.
    public enum Place: Sendable {
        /// In its queue; `ahead` messages are to be taken before it.
        case waiting(queue: String, ahead: Int)
        /// Kept aside until its time.
        case delayed(queue: String, until: Date)
        /// With a worker, which runs it since then, or has yet to start it.
        case leased(queue: String, holder: String, worker: WorkerReport?, since: Date?)
        /// Among the dead letters.
        indirect case dead(DeadLetter)
        /// Over, or nowhere to be found.
        case gone
    }

    /// The task's id.
    public var id: String
    /// Where it is.
    public var place: Place
    /// The stored status; `nil` where there is none.
    public var status: TaskStatus?
    /// The attempts that are over, the oldest first, as far as they are remembered.
    public var attempts: [Attempt]
    /// The message, where it is at hand.
    public var message: TaskMessage?
    /// How many messages of each queue were looked through for it, at most; `nil` where that was not necessary.
    public var searched: Int?

    /// The task's name, where anything says it.
    public var task: String? {
        message?.task ?? attempts.last { !$0.task.isEmpty }?.task ?? status?.extra["name"]?.string ?? letter?.task
    }
    /// The queue.
    public var queue: String? {
        switch place {
        case .waiting(let queue, _), .delayed(let queue, _), .leased(let queue, _, _, _): queue
        case .dead(let letter): letter.queue
        case .gone: attempts.last { !$0.queue.isEmpty }?.queue
        }
    }
    /// The process that sent it.
    public var origin: String? { message?.origin ?? attempts.last { $0.origin != nil }?.origin }
    /// The task that sent it. A retry names its own task as its parent, as in Celery: that is none.
    public var parentID: String? {
        let named = message?.parentID ?? attempts.last { $0.parentID != nil }?.parentID ?? status?.parentID
        return named == id ? nil : named
    }
    /// The first task of its workflow, where that is another one.
    public var rootID: String? {
        (message?.rootID ?? attempts.last { $0.rootID != nil }?.rootID).flatMap { $0 == id ? nil : $0 }
    }
    /// The group it is part of.
    public var groupID: String? { message?.group ?? attempts.last { $0.groupID != nil }?.groupID ?? status?.groupID }
    /// When it was sent, as far as its message says so.
    public var sentAt: Date? {
        message?.sentAt ?? attempts.lazy.compactMap(\.sentAt).first
    }
    /// How many runs of it were lost.
    public var losses: Int { max(message?.losses ?? 0, attempts.count { $0.end == .lost }) }

    /// Its letter, where it has one.
    public var letter: DeadLetter? { if case .dead(let letter) = place { letter } else { nil } }

    /// In one word: `waiting`, `delayed`, `running`, `held`, `dead`, or the state in which it ended, in small letters.
    public var state: String {
        switch place {
        case .waiting: return "waiting"
        case .delayed: return "delayed"
        case .leased(_, _, _, let since): return since == nil ? "held" : "running"
        case .dead: return "dead"
        case .gone: break
        }
        if let status {
            // One that is not over says more than an attempt: it was sent again since.
            return status.state.isReady ? status.state.rawValue.lowercased() : "unknown"
        }
        if let end = attempts.last?.end, end != .retry, end != .lost, end != .handedBack {
            return end.rawValue.lowercased()
        }
        return "unknown"
    }
}

extension TaskRecord {
    /// The record as a JSON object for scripts.
    public var document: JSON {
        func time(_ date: Date?) -> JSON { date.map { .string(Timestamp.text(for: $0)) } ?? .null }
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        var now: [String: JSON] = ["state": .string(state), "queue": text(queue)]
        switch place {
        case .waiting(_, let ahead): now["ahead"] = .integer(ahead)
        case .delayed(_, let until): now["until"] = time(until)
        case .leased(_, let holder, let worker, let since):
            now["holder"] = .string(holder)
            now["node"] = text(worker?.node)
            now["since"] = time(since)
        case .dead(let letter):
            now["reason"] = .string(letter.reason.rawValue)
            now["error"] = .string(letter.error)
            now["since"] = time(letter.diedAt)
        case .gone: break
        }
        return [
            "id": .string(id), "task": text(task), "now": .object(now), "origin": text(origin),
            "parent_id": text(parentID), "root_id": text(rootID ?? id), "group_id": text(groupID),
            "sent_at": time(sentAt),
            "losses": .integer(losses), "attempts": .array(attempts.map(\.document)),
            "status": status.map { (try? JSON(parsing: $0.encoded(), limits: JSONLimits(bytes: .max))) ?? .null }
                ?? .null,
        ]
    }
}
