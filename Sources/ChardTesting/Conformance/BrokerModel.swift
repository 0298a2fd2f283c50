// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// What a broker should hold after a run of operations, as far as that is promised.
///
/// Messages that were only ever sent, claimed and returned have a known place in line. Those that were delayed, or whose
/// holder was lost, come to the front of their line at a moment that nobody promises: they are loose, and may be claimed
/// at any time from then on.
struct BrokerModel {
    struct Line: Hashable {
        var queue: String
        var step: Int
    }

    struct Message {
        var line: Line
        var losses = 0
        var dueAt: Date?
    }

    /// Every message that was sent and not yet settled.
    private(set) var messages: [String: Message] = [:]
    /// Messages with a known place, the next one first.
    private var lines: [Line: [String]] = [:]
    /// Messages that may come at any time, or will in time.
    private(set) var loose: Set<String> = []
    /// Who holds what, in the order of claiming.
    private(set) var held: [String: [String]] = [:]
    private(set) var finished: Set<String> = []

    /// How many messages can be claimed for certain by who serves `queues`.
    func certain(in queues: [String]) -> Int {
        lines.reduce(0) { $0 + (queues.contains($1.key.queue) ? $1.value.count : 0) }
    }

    var isEmpty: Bool { messages.isEmpty }

    mutating func sent(_ message: OutgoingMessage, now: Date) {
        let line = Line(queue: message.queue, step: Priority.step(for: message.priority))
        messages[message.id] = Message(line: line, dueAt: message.dueAt)
        if let dueAt = message.dueAt, dueAt > now {
            loose.insert(message.id)
        } else {
            lines[line, default: []].append(message.id)
        }
    }

    /// Takes note of a delivery. Returns what is wrong with it, if anything is.
    mutating func claimed(_ id: String, losses: Int, by consumer: String, in queues: [String], now: Date) -> String? {
        guard let message = messages[id] else {
            return finished.contains(id) ? "\(id) was delivered after it was settled" : "\(id) was never sent"
        }
        if let holder = held.first(where: { $0.value.contains(id) })?.key {
            return "\(id) was delivered to \(consumer) while \(holder) holds it"
        }
        guard queues.contains(message.line.queue) else {
            return "\(id) is from \(message.line.queue), which is not served"
        }
        if message.losses != losses { return "\(id) says \(losses) losses, and had \(message.losses)" }
        if let dueAt = message.dueAt, dueAt.timeIntervalSince(now) > 0.005 {
            return "\(id) came \(dueAt.timeIntervalSince(now)) s before its time"
        }
        if loose.remove(id) == nil {
            if let first = lines[message.line]?.first, first != id { return "\(id) came before \(first)" }
            let urgent = lines.first {
                $0.key.step < message.line.step && queues.contains($0.key.queue) && !$0.value.isEmpty
            }
            if let urgent { return "\(id) came before \(urgent.value[0]), which is more urgent" }
            lines[message.line]?.removeFirst()
        }
        messages[id]?.dueAt = nil
        held[consumer, default: []].append(id)
        return nil
    }

    mutating func finished(_ id: String, by consumer: String) {
        held[consumer]?.removeAll { $0 == id }
        messages[id] = nil
        finished.insert(id)
    }

    mutating func returned(_ id: String, by consumer: String) {
        held[consumer]?.removeAll { $0 == id }
        guard let line = messages[id]?.line else { return }
        lines[line, default: []].insert(id, at: 0)
    }

    mutating func closed(_ consumer: String) {
        for id in (held.removeValue(forKey: consumer) ?? []).reversed() { returned(id, by: consumer) }
    }

    mutating func lost(_ consumer: String) {
        for id in held.removeValue(forKey: consumer) ?? [] {
            // No run was noted to have started: from the second loss on, none is counted.
            let losses = messages[id]?.losses ?? 0
            messages[id]?.losses = min(losses + 1, Recovery.lastChance)
            loose.insert(id)
        }
    }
}
