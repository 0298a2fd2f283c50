// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

extension Action {
    static let taskActions: [Action] = [
        Action("/tasks/{task}/retry", "retry the task") { order in
            let id = order.name("task")
            let retry = try await order.operator.tasks.retry(id)
            return Outcome(sentence(retry), hasChanged: retry.hasChanged, at: place(of: id))
        },
        Action(
            "/tasks/{task}/copy", "run a copy of the task",
            fields: [
                Field("arguments", "the positional arguments, a JSON array; those of the task unless they are said"),
                Field("keywords", "the arguments by name, a JSON object"),
            ]
        ) { order in
            let id = order.name("task")
            var arguments: Arguments?
            if order.field("arguments") != nil || order.field("keywords") != nil {
                let edited = try EditedArguments.read(order.field("arguments"), order.field("keywords"))
                // Where it still says *** stands what nobody was shown.
                let message = try await order.operator.find(id, depth: TaskDocument.depth)?.message
                arguments = message.map { order.app.unhidden(edited, of: $0) } ?? edited
            }
            let sent: String?
            do {
                sent = try await order.operator.tasks.sendCopy(of: id, arguments)
            } catch let error as MessageError {
                throw PageError(.conflict, "No copy of \(id) can be sent: \(error).")
            }
            guard let copy = sent else {
                throw PageError(
                    .conflict,
                    "No copy of \(id) can be sent: its message is not at hand any more. That of a task that succeeded is not kept."
                )
            }
            return Outcome("A copy was sent: this is it.", at: place(of: copy), details: ["id": .string(copy)])
        },
        Action("/tasks/{task}/cancel", "cancel the task") { order in
            let id = order.name("task")
            let end = try await BatchStep.make("cancel", .tasks, by: order.operator, app: order.app).perform(id)
            if case .refused(let why) = end {
                return Outcome("Nothing was done: \(why).", hasChanged: false, at: place(of: id))
            }
            return Outcome(
                "It is called off: what waits is dropped when a worker takes it, what runs is cancelled.",
                at: place(of: id))
        },
        Action("/tasks/{task}/delete", "delete the task") { order in
            let id = order.name("task")
            let isNew = try await order.operator.tasks.delete(id)
            return Outcome(
                isNew
                    ? "What was kept of \(id) is deleted."
                    : "Nothing was deleted: nothing is kept of it, or it waits or runs.",
                hasChanged: isNew, at: isNew ? "/tasks" : place(of: id))
        },
    ]

    private static func place(of id: String) -> String { "/tasks/\(PercentCoding.encode(id))" }

    private static func sentence(_ retry: Operator.Tasks.Retry) -> String {
        switch retry {
        case .sentAgain: "It was sent again, under the same id."
        case .requeued: "It is back in its queue."
        case .hastened: "It runs now, not at its time."
        case .workflow(_, let tasks):
            "Its workflow goes on: \(tasks.count == 1 ? "one task was" : "\(tasks.count) tasks were") sent again."
        case .nothing(let why): "Nothing was done: \(why)."
        }
    }
}

/// Arguments as somebody has written them into a form.
enum EditedArguments {
    /// - Throws: ``PageError`` that says where the text is no JSON, or what it should have been.
    static func read(_ positional: String?, _ keywords: String?) throws -> Arguments {
        var arguments = Arguments()
        if let positional {
            guard let values = try json(positional, "arguments").array else {
                throw PageError(
                    .badRequest, "The arguments must be a JSON array, such as [2, \"x\"]. Nothing was sent.")
            }
            arguments.positional = values
        }
        if let keywords {
            guard let values = try json(keywords, "keywords").object else {
                throw PageError(
                    .badRequest, "The arguments by name must be a JSON object, such as {\"x\": 2}. Nothing was sent.")
            }
            arguments.keywords = values
        }
        return arguments
    }

    private static func json(_ text: String, _ field: String) throws -> JSON {
        let bytes = Array(text.utf8)
        do {
            return try JSON(parsing: bytes)
        } catch {
            let before = bytes.prefix(error.offset)
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let column = (before.lastIndex(of: UInt8(ascii: "\n")).map { before.count - $0 - 1 } ?? before.count) + 1
            let near = String(decoding: bytes.dropFirst(max(0, error.offset - 10)).prefix(30), as: UTF8.self)
            throw PageError(
                .badRequest,
                "The field \"\(field)\" is not JSON: expected \(error.expected) in line \(line), column \(column), near \(near) Nothing was sent."
            )
        }
    }
}
