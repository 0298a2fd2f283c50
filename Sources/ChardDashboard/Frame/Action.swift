// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

/// Something that can be ordered: an address that takes a form or a JSON object by POST.
struct Action: Sendable {
    /// A field of the form.
    struct Field: Sendable {
        let name: String
        let meaning: String
        let isRequired: Bool

        init(_ name: String, _ meaning: String, isRequired: Bool = false) {
            self.name = name
            self.meaning = meaning
            self.isRequired = isRequired
        }
    }

    /// Below the dashboard's own address, with parameters in braces: `/queues/{queue}/pause`.
    let path: String
    /// What is done, for the log and the API: `pause the queue`.
    let deed: String
    let fields: [Field]
    let perform: @Sendable (Order) async throws -> Outcome

    init(
        _ path: String, _ deed: String, fields: [Field] = [],
        perform: @escaping @Sendable (Order) async throws -> Outcome
    ) {
        self.path = path
        self.deed = deed
        self.fields = fields
        self.perform = perform
    }
}

/// What came of an action.
struct Outcome: Sendable {
    /// In a sentence.
    let text: String
    /// Whether something was changed: not where somebody else was first.
    let hasChanged: Bool
    /// Which page shows it, below the dashboard's own address.
    let place: String
    /// What programs are told besides.
    let details: [String: JSON]

    /// What came of something that one of several may do: nothing, where somebody else was first.
    ///
    /// - Parameter reason: Why it may not be there any more.
    init(ifDone isDone: Bool, _ text: String, orGone reason: String = "Somebody else was first.", at place: String) {
        self.init(
            isDone ? text : "Nothing was done: it was not there any more. \(reason)", hasChanged: isDone, at: place)
    }

    init(_ text: String, hasChanged: Bool = true, at place: String, details: [String: JSON] = [:]) {
        self.text = text
        self.hasChanged = hasChanged
        self.place = place
        self.details = details
    }
}

/// What somebody orders.
struct Order: Sendable {
    let question: Question
    /// The fields of the form; of those that stand there several times, all.
    let fields: [(name: String, value: String)]
    let visitor: Visitor

    var app: Chard { question.app }
    var `operator`: Operator { question.operator }

    /// A part of the path.
    func name(_ parameter: String) -> String { question.name(parameter) }

    /// What a field says; `nil` where it says nothing.
    func field(_ name: String) -> String? {
        fields.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// What a field says that has to be there.
    func required(_ name: String) throws -> String {
        guard let value = field(name) else { throw PageError(.badRequest, "The field \"\(name)\" is missing.") }
        return value
    }

    /// What is said in all fields of a name.
    func all(_ name: String) -> [String] { fields.filter { $0.name == name && !$0.value.isEmpty }.map(\.value) }
}
