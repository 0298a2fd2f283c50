// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension ScheduleRecord {
    /// How it stands, in a word or two.
    package var stateWord: String {
        if unreadable != nil { return "left alone" }
        if isRemoved { return "removed" }
        if isPaused { return "paused" }
        return schedule?.isEnabled == false ? "not enabled" : "active"
    }

    /// Where it is from.
    package var originWords: String {
        switch origin {
        case .code: "the code of \(app ?? "?")" + (version == 0 ? ", not yet in the broker" : "")
        case .changed: "the code of \(app ?? "?"), changed by the operator"
        case .operator: "the operator"
        }
    }

    /// The schedule as it is kept, with what is known of it beside.
    package func document(at now: Date) throws -> JSON {
        var document = try schedule.map { try JSON(encoding: $0) } ?? ["name": .string(name)]
        document["description"] = schedule.map { .string($0.words) } ?? .null
        document["origin"] = .string(origin.rawValue)
        document["app"] = app.map(JSON.string) ?? .null
        document["unreadable"] = unreadable.map { .string($0.reason) } ?? .null
        document["paused"] = .bool(isPaused)
        document["removed"] = .bool(isRemoved)
        document["active"] = .bool(isActive)
        document["overdue_since"] = overdue(at: now).map { .string(Timestamp.text(for: $0)) } ?? .null
        document["sent"] = .integer(progress.sent)
        document["dropped"] = .integer(progress.dropped)
        document["last_task_id"] = progress.taskID.map(JSON.string) ?? .null
        document["last"] =
            progress.sentTick.map { .string(Timestamp.text(for: Date(milliseconds: $0))) } ?? .null
        let next = isActive ? try schedule?.upcoming(after: now) ?? [] : []
        document["next"] = .array(next.map { .string(Timestamp.text(for: $0)) })
        return document
    }
}

extension Schedule {
    /// `report(1, 'x', page=2) on nightly`.
    package var callWords: String {
        let positional = call.arguments.positional.map(\.description)
        let keywords = call.arguments.keywords.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let queue = call.queue.map { " on \($0)" } ?? ""
        return "\(call.task)(\((positional + keywords).joined(separator: ", ").shortened(to: 100)))\(queue)"
    }
}
