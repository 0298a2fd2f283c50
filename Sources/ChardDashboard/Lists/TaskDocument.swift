// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// All that is known of one task, as its page has it.
enum TaskDocument {
    /// So many messages of each queue are looked through for it.
    static let depth = 1_000
    /// A longer result is not taken apart.
    private static let mostResult = 256 << 10
    /// No more children are named.
    private static let mostChildren = 100

    static func make(
        _ record: TaskRecord, _ why: Explanation, isWorkflow: Bool, _ facts: Facts
    ) -> JSON {
        guard case .object(var document) = record.document else { return .null }
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        document["now"] = nil
        document["status"] = status(record.status, facts)
        document["title"] = .string(record.task ?? record.id)
        document["state"] = .string(record.state)
        document["queue"] = text(record.queue)
        document["place"] = place(record)
        document["why"] = [
            "cause": .string(why.cause), "text": .string(why.text), "advice": text(why.advice),
        ]
        // Itself is no root of its own, on a page.
        document["root_id"] = text(record.rootID)
        document["workflow"] = isWorkflow ? .string(record.rootID ?? record.id) : .null
        document["timeline"] = TaskTimeline.document(of: record)
        document["searched"] = record.searched.map(JSON.integer) ?? .null
        document.merge(ShownMessage(record.message, payload: record.letter?.payload, facts).members) { $1 }
        document["letter"] = text(record.letter?.id)
        document["can"] = acts(record)
        return .object(document)
    }

    private static func place(_ record: TaskRecord) -> JSON {
        func time(_ date: Date?) -> JSON { MessageDocument.time(date) }
        return switch record.place {
        case .waiting(_, let ahead): ["ahead": .integer(ahead)]
        case .delayed(_, let until): ["until": time(until)]
        case .leased(_, let holder, let worker, let since):
            [
                "holder": .string(holder), "node": worker.map { .string($0.node) } ?? .null, "since": time(since),
            ]
        case .dead(let letter):
            ["reason": .string(letter.reason.rawValue), "error": .string(letter.error), "died_at": time(letter.diedAt)]
        case .gone: .null
        }
    }

    /// What can be done to it, as far as one can say.
    private static func acts(_ record: TaskRecord) -> JSON {
        let isOver = if case .gone = record.place { true } else { false }
        let isDead = record.letter != nil
        // A body that cannot be read has no arguments to send once more.
        let isReadable = record.message.map { (try? $0.decodeBody()) != nil } ?? false
        let isDelayed = if case .delayed = record.place { true } else { false }
        return [
            "retry": .bool(isDead || isDelayed || isOver && !["success", "revoked"].contains(record.state)),
            "cancel": .bool(!isDead && (!isOver || record.state == "unknown")), "delete": .bool(isDead || isOver),
            "copy": .bool(isReadable), "move": .bool(isDelayed),
        ]
    }

    private static func status(_ status: TaskStatus?, _ facts: Facts) -> JSON {
        guard let status else { return .null }
        let size = status.resultText.count
        let isShown = facts.showsArguments
        // An error has a form of its own, and its text is no secret where texts of errors are shown anyway.
        let error = status.exception.map { "\($0)" }
        let result = isShown && error == nil && size <= mostResult ? status.result : .null
        let text = String(decoding: status.resultText.prefix(mostResult), as: UTF8.self)
        return [
            "state": .string(status.state.rawValue), "done_at": MessageDocument.time(status.dateDone),
            "error": error.map(JSON.string) ?? .null,
            "traceback": status.traceback.map(JSON.string) ?? .null, "result": result,
            "result_text": isShown && error == nil ? .string(text) : .null, "result_size": .integer(size),
            "is_result_cut": .bool(size > mostResult),
            "children": .array(children(status.children).map(JSON.string)),
        ]
    }

    /// The ids in Celery's result tuples: `[[id, parent], members]`.
    private static func children(_ tuples: JSON) -> [String] {
        var ids: [String] = []
        for tuple in (tuples.array ?? []).prefix(mostChildren) {
            if let members = tuple[1]?.array {
                ids += members.prefix(mostChildren).compactMap { $0[0]?[0]?.string }
            } else if let id = tuple[0]?[0]?.string {
                ids.append(id)
            }
        }
        return Array(ids.prefix(mostChildren))
    }
}
