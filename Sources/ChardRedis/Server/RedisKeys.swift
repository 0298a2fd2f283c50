// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Every key and channel that Chard uses, in one place.
///
/// Celery's own names are used where Celery has one, so that Python and Swift share queues, results and bindings; what
/// Chard keeps for itself begins with `chard:`, and no Python worker touches it. The prefix is kombu's
/// `global_keyprefix`: it stands before keys and channels, never inside of members or messages.
///
/// What belongs to one queue carries the queue as its hash tag, `chard:{queue}:...`, so that on a Redis Cluster it is in the
/// slot of the queue's waiting list.
package struct RedisKeys: Sendable, Hashable {
    package let prefix: String
    /// The lists of a queue, and what separates the parts of kombu's composed names.
    package let priorities: PrioritySteps

    package init(prefix: String = "", priorities: PrioritySteps = .usual) {
        self.prefix = prefix
        self.priorities = priorities
    }

    /// The least priority of each step.
    var steps: [Int] { priorities.steps }

    private var separator: String { priorities.separator }

    /// List: the waiting messages of one queue and step of priority. LPUSH adds, the right end is next.
    func waiting(_ queue: String, step: Int = 0) -> String {
        step == 0 ? prefix + queue : "\(prefix)\(queue)\(separator)\(steps[step])"
    }

    /// The lists of a queue, the most urgent first.
    func waiting(allOf queue: String) -> [String] {
        steps.indices.map { waiting(queue, step: $0) }
    }

    /// List: the messages of one queue and step of priority that were delayed and are due, the oldest at the right end.
    func ripe(_ queue: String, step: Int) -> String { own(queue, "due:\(steps[step])") }

    /// The lists of what is due of a queue, the most urgent first.
    func ripe(allOf queue: String) -> [String] {
        steps.indices.map { ripe(queue, step: $0) }
    }

    /// Everything in which a queue's messages may be, but for what is held: two keys more than twice as many as there are steps.
    func contents(of queue: String) -> [String] {
        waiting(allOf: queue) + ripe(allOf: queue) + [delayed(queue), dead(queue)]
    }

    /// Set: kombu's routing table of the queue's own exchange.
    func binding(_ queue: String) -> String { "\(prefix)_kombu.binding.\(queue)" }
    /// Set: the same, for queues without an expiry.
    func permanentBinding(_ queue: String) -> String { "\(prefix)_kombu.binding_permanent.\(queue)" }
    /// Sorted set: when kombu's routing tables of queues that end by themselves may be swept, in ms since 1970.
    var bindingDeadlines: String { "\(prefix)_kombu.binding_deadlines" }
    /// The member of both sets for a queue that is addressed by its name, or by a key of its own.
    func bindingMember(_ queue: String, routingKey: String? = nil) -> String {
        "\(routingKey ?? queue)\(separator)\(separator)\(queue)"
    }

    /// Channel: what kombu sends to all who listen to an exchange, under a routing key or none. The database is a part of the
    /// name, since channels belong to none.
    func channel(_ exchange: String, _ routingKey: String = "", database: Int) -> String {
        "\(prefix)/\(database).\(exchange)\(routingKey.isEmpty ? "" : "/")\(routingKey)"
    }

    /// String with a TTL, and the channel on which it is published: status and result.
    func status(_ id: String) -> String { "\(prefix)celery-task-meta-\(id)" }

    /// String with a TTL: the members of a group, where it was stored: those of a chord of which some are groups.
    func group(_ id: String) -> String { "\(prefix)celery-taskset-meta-\(id)" }
    /// Sorted set with a TTL: the ends of a join's members, by their places; Celery's, of a chord, as the others of a join.
    func joinEnds(_ group: String) -> String { self.group(group) + ".j" }
    /// The keys of a join: the string that says who sends what follows, or that it is `done`; ``joinEnds(_:)``; the set of
    /// those counted, `<id>:<place>`; the strings with the number of members, and with how many were added later;
    /// ``group(_:)``. All have a TTL.
    func join(_ id: String) -> [String] {
        [group(id) + ".c", joinEnds(id), group(id) + ".d", group(id) + ".s", group(id) + ".t", group(id)]
    }

    /// A key of one queue, in the slot of its waiting list.
    ///
    /// A name with braces of its own has a tag already, which several queues may share: it stands behind the kind, too.
    private func own(_ queue: String, _ kind: String) -> String {
        let list = prefix + queue
        guard list.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
            return "\(prefix)chard:{\(list)}:\(kind)"
        }
        return "\(prefix)chard:{\(Self.tag(of: list))}:\(kind):\(queue)"
    }

    /// What a Redis Cluster hashes of a key: what stands between the first brace and the next closing one, or all of it.
    static func tag(of key: String) -> Substring {
        guard let open = key.firstIndex(of: "{"), case let rest = key[key.index(after: open)...],
            let close = rest.firstIndex(of: "}"), close > rest.startIndex
        else { return key[...] }
        return rest[..<close]
    }

    /// The lists in which clients with other steps of priority, or with another separator, kombu's own or that of Celery's
    /// documentation, leave messages of a queue: nobody here reads them.
    func unread(of queue: String) -> [UnreadList] {
        let known = Set(steps)
        return ([separator] + [PrioritySteps.usualSeparator, ":"].filter { $0 != separator }).flatMap { other in
            (1...9).filter { other != separator || !known.contains($0) }.map { step in
                UnreadList(queue: queue, step: step, separator: other, key: "\(prefix)\(queue)\(other)\(step)")
            }
        }
            + (0...9).filter { !known.contains($0) }.map { step in
                UnreadList(queue: queue, step: step, separator: nil, key: own(queue, "due:\(step)"))
            }
    }

    /// The queue and the step of priority that a waiting list belongs to.
    func queue(of list: String) -> (queue: String, step: Int) {
        let name = list.dropFirst(prefix.count)
        for (step, least) in steps.enumerated().dropFirst() where name.hasSuffix("\(separator)\(least)") {
            return (String(name.dropLast(separator.count + 1)), step)
        }
        return (String(name), 0)
    }

    /// Sorted set: what is known of queues; the score is when one was last used, in seconds since 1970.
    var queues: String { prefix + "chard:queues" }
    /// Hash: each holder of messages, with the lists it claims from, as JSON.
    var holders: String { prefix + "chard:holders" }
    /// Hash with a TTL: a holder's heartbeat, which is the lease of all that it holds.
    func heartbeat(_ identity: String) -> String { "\(prefix)chard:heartbeat:\(identity)" }
    /// List: what a holder holds of one waiting list, the oldest at the right end.
    func leased(_ identity: String, _ list: String) -> String {
        let (queue, step) = queue(of: list)
        return own(queue, "leased:\(steps[step]):\(identity)")
    }
    /// String with a TTL: the holder was seen to end so lately that a blocking pop of its may still bring it a message.
    func ending(_ identity: String) -> String { "\(prefix)chard:ending:\(identity)" }
    /// Set with a TTL: the tasks on their last chance that a holder has started.
    func lastChances(_ identity: String) -> String { "\(prefix)chard:last-chances:\(identity)" }
    /// Hash: what was put aside, by the name of the key under which it is found now, each with its story as JSON.
    var aside: String { prefix + "chard:aside" }
    /// Of whatever type: what was put aside under this name.
    func aside(_ name: String) -> String { "\(prefix)chard:aside:\(name)" }
    /// String: the secret by which the losses counted in messages are believed.
    var seal: String { prefix + "chard:seal" }
    /// String with a TTL: the holder that moves what is due, and looks for lost ones, on behalf of all.
    var duty: String { prefix + "chard:duty" }
    /// String with a TTL: who recovers a lost holder just now.
    func recovering(_ identity: String) -> String { "\(prefix)chard:recovering:\(identity)" }

    /// Sorted set: the ids of revoked tasks, by the time when that is forgotten, in seconds since 1970.
    var revoked: String { prefix + "chard:revoked" }
    /// Set: the paused queues.
    var paused: String { prefix + "chard:paused" }
    /// String: the number of the last change to ``revoked`` or ``paused``; and the channel on which changes are told.
    var orders: String { prefix + "chard:orders" }
    /// String with a TTL: there were such changes a short while ago, shorter than a lease lasts.
    var news: String { prefix + "chard:news" }
    /// Stream: the last of these changes, by their numbers.
    var orderLog: String { prefix + "chard:order-log" }

    /// Hash with a TTL: the values of a record by their names.
    func record(_ id: String) -> String { "\(prefix)chard:record:\(id)" }
    /// Sorted set with a TTL: the ids of records that are listed, by the time when they were made, in seconds since 1970.
    var records: String { prefix + "chard:records" }

    /// Sorted set: the ids of a queue's delayed messages, by due time in seconds since 1970.
    func delayed(_ queue: String) -> String { own(queue, "delayed") }
    /// Hash: the delayed messages by id, each behind a digit: the least priority of its step.
    func delayedMessages(_ queue: String) -> String { own(queue, "delayed-messages") }
    /// Channel: the name of a queue whose earliest delayed message has changed.
    var due: String { prefix + "chard:due" }

    /// Set: the names of all schedules.
    var schedules: String { prefix + "chard:schedules" }
    /// Hash: one schedule, with its version, its configuration as JSON, and how far its ticks are.
    func schedule(_ name: String) -> String { "\(prefix)chard:schedule:\(name)" }
    /// String: the number of the last change of a schedule; and the channel on which changes are told.
    var scheduleChanges: String { prefix + "chard:schedule-changes" }

    /// Sorted set with a TTL: the numbers of the history's segments.
    var historySegments: String { prefix + "chard:{history}:segments" }
    /// String with a TTL: the number of the newest segment, for as long as that is not too old to be added to.
    var historyYoung: String { prefix + "chard:{history}:young" }
    /// String with a TTL: how many attempts were added to a segment.
    func historyCount(_ segment: Int) -> String { "\(prefix)chard:{history}:count:\(segment)" }
    /// List with a TTL: attempts that went well, lines of as many as were told at once.
    func historyGood(_ segment: Int) -> String { "\(prefix)chard:{history}:good:\(segment)" }
    /// List with a TTL: all other attempts, in the same form.
    func historyBad(_ segment: Int) -> String { "\(prefix)chard:{history}:bad:\(segment)" }

    /// Sorted set: the names of a queue's dead letters, by time of death in seconds since 1970.
    func dead(_ queue: String) -> String { own(queue, "dead") }
    /// Hash: a queue's dead letters by name, each its story as JSON.
    func deadLetters(_ queue: String) -> String { own(queue, "dead-letters") }
    /// Hash: the raw messages of the dead letters, by the letters' names.
    func deadMessages(_ queue: String) -> String { own(queue, "dead-messages") }
}
