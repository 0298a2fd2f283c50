// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Every key and channel that Chard uses, in one place.
///
/// Celery's own names are used where Celery has one, so that Python and Swift share queues, results and bindings; what
/// Chard keeps for itself begins with `chard:`, and no Python worker touches it. The prefix is kombu's
/// `global_keyprefix`: it stands before keys and channels, never inside of members or messages.
package struct RedisKeys: Sendable, Hashable {
    package let prefix: String

    package init(prefix: String = "") {
        self.prefix = prefix
    }

    /// Separates the parts of kombu's composed names.
    static let separator = "\u{06}\u{16}"

    /// List: the waiting messages of one queue and step of priority. LPUSH adds, the right end is next.
    func waiting(_ queue: String, step: Int = 0) -> String {
        step == 0 ? prefix + queue : "\(prefix)\(queue)\(Self.separator)\(Priority.steps[step])"
    }

    /// The lists of a queue, the most urgent first.
    func waiting(allOf queue: String) -> [String] {
        Priority.steps.indices.map { waiting(queue, step: $0) }
    }

    /// Set: kombu's routing table of the queue's own exchange.
    func binding(_ queue: String) -> String { "\(prefix)_kombu.binding.\(queue)" }
    /// Set: the same, for queues without an expiry.
    func permanentBinding(_ queue: String) -> String { "\(prefix)_kombu.binding_permanent.\(queue)" }
    /// The member of both sets for a queue that is addressed by its name.
    func bindingMember(_ queue: String) -> String { "\(queue)\(Self.separator)\(Self.separator)\(queue)" }

    /// String with a TTL, and the channel on which it is published: status and result.
    func status(_ id: String) -> String { "\(prefix)celery-task-meta-\(id)" }

    /// Sorted set: what is known of queues; the score is when one was last used, in seconds since 1970.
    var queues: String { prefix + "chard:queues" }
    /// Hash: each process that may hold messages, with the lists it claims from, as JSON.
    var processes: String { prefix + "chard:processes" }
    /// Hash with a TTL: a process's heartbeat, which is the lease of all that it holds.
    func process(_ identity: String) -> String { "\(prefix)chard:process:\(identity)" }
    /// List: what a process holds of one waiting list, the oldest at the right end.
    func leased(_ identity: String, _ waiting: String) -> String { "\(prefix)chard:leased:\(identity):\(waiting)" }
    /// String with a TTL: the process was seen to end so lately that a blocking pop of its may still bring it a message.
    func ending(_ identity: String) -> String { "\(prefix)chard:ending:\(identity)" }
    /// Set with a TTL: the tasks on their last chance that a process has started.
    func lastChances(_ identity: String) -> String { "\(prefix)chard:last-chances:\(identity)" }
    /// String with a TTL: who recovers a lost process just now.
    func recovering(_ identity: String) -> String { "\(prefix)chard:recovering:\(identity)" }

    /// Sorted set: the ids of revoked tasks, by the time when that is forgotten, in seconds since 1970.
    var revoked: String { prefix + "chard:revoked" }
    /// Set: the paused queues.
    var paused: String { prefix + "chard:paused" }
    /// String: the number of the last change to ``revoked`` or ``paused``; and the channel on which changes are told.
    var orders: String { prefix + "chard:orders" }

    /// Sorted set: the ids of a queue's scheduled messages, by due time in seconds since 1970.
    func scheduled(_ queue: String) -> String { "\(prefix)chard:scheduled:\(queue)" }
    /// Hash: the scheduled messages by id, each behind the digit of its step of priority.
    func scheduledMessages(_ queue: String) -> String { "\(prefix)chard:scheduled:\(queue):messages" }
    /// Channel: the name of a queue whose earliest scheduled message has changed.
    var due: String { prefix + "chard:due" }

    /// Set: the names of all schedules.
    var schedules: String { prefix + "chard:schedules" }
    /// Hash: one schedule, with its version, its configuration as JSON, and how far its ticks are.
    func schedule(_ name: String) -> String { "\(prefix)chard:schedule:\(name)" }
    /// String: the number of the last change of a schedule; and the channel on which changes are told.
    var scheduleChanges: String { prefix + "chard:schedule-changes" }

    /// Sorted set: the names of a queue's dead letters, by time of death in seconds since 1970.
    func dead(_ queue: String) -> String { "\(prefix)chard:dead:\(queue)" }
    /// Hash with a TTL: one dead letter, its story as JSON and its raw message.
    func deadLetter(_ id: String) -> String { "\(prefix)chard:dead-letter:\(id)" }
}
