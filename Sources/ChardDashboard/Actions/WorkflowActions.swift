// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

extension Action {
    static let workflowActions: [Action] = [
        Action("/workflows/{id}/cancel", "cancel the workflow") { order in
            let id = try await known(order)
            try await order.app.workflow(id).cancel()
            return Outcome("The workflow is cancelled: nothing more of it runs.", at: place(of: id))
        },
        Action("/workflows/{id}/retry", "retry what failed of the workflow") { order in
            let id = try await known(order)
            let sent = try await PageError.saying { try await order.app.workflow(id).retry() }
            return Outcome(
                sent.isEmpty
                    ? "Nothing of it has failed, or somebody else was first."
                    : "\(sent.count == 1 ? "1 task was" : "\(sent.count) tasks were") sent again; what has succeeded does not run again.",
                hasChanged: !sent.isEmpty, at: place(of: id), details: ["sent": .array(sent.map(JSON.string))])
        },
        Action(
            "/workflows/{id}/signal", "send a signal to the workflow",
            fields: [
                Field("name", "the name of the signal", isRequired: true),
                Field("payload", "what comes with it, as JSON; null unless it is said"),
            ]
        ) { order in
            let id = try await known(order)
            let name = try order.required("name")
            let payload = try FormJSON.value(order.field("payload") ?? "null", named: "payload")
            try await PageError.saying { try await order.app.workflow(id).signal(name, with: payload) }
            return Outcome("The signal \(name) was given.", at: place(of: id))
        },
    ]

    private static func known(_ order: Order) async throws -> String {
        let id = order.name("id")
        guard try await order.app.workflow(id).report() != nil else { throw PageError.missing("workflow \(id)") }
        return id
    }

    private static func place(of id: String) -> String { "/workflows/\(PercentCoding.encode(id))" }
}

extension PageError {
    /// Does something, of which an error says what is wrong with what was asked.
    static func saying<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as AppError {
            throw PageError(.unprocessableContent, "\(error)")
        }
    }
}

/// JSON that somebody has typed.
enum FormJSON {
    static func value(_ text: String, named name: String) throws -> JSON {
        let json: JSON
        do {
            json = try JSON(parsing: Array(text.utf8))
        } catch {
            throw PageError(.unprocessableContent, "The field \"\(name)\" is no JSON: \(error)")
        }
        guard json.isFinite else {
            throw PageError(
                .unprocessableContent, "The field \"\(name)\" holds a number that JSON has no way to write.")
        }
        return json
    }
}
