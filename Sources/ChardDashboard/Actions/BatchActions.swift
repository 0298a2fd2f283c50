// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes

extension Action {
    static let batchActions: [Action] = [
        Action(
            "/batches", "do the same to many",
            fields: [
                Field(
                    "of", "what: \(Selection.Kind.allCases.map(\.rawValue).joined(separator: ", "))", isRequired: true),
                Field("act", "what is done, such as retry", isRequired: true),
                Field("id", "to which; may be there several times"),
                Field("all", "true takes all that match the filters, up to \(Batches.mostIDs), instead of ids"),
                Field("to", "where to, of act=move: \(TimeFilter.expected)"),
            ] + Selection.parameters.map { Field($0.name, "with all=true, \($0.meaning)") }
        ) { order in
            let (kind, act) = try Selection.kind(order.field("of"), doing: order.field("act"))
            let ids: [String]
            if order.field("all") == "true" {
                ids = try await Selection.find(kind, order.question, order.field).rows.map(\.id)
            } else {
                ids = order.all("id")
            }
            guard !ids.isEmpty else {
                throw PageError(.badRequest, "Nothing is chosen, or nothing matches any more. Nothing was done.")
            }
            let time = try order.field("to").map { try TimeFilter.future("to", $0, now: order.question.now) }
            guard act != "move" || time != nil else {
                throw PageError(.badRequest, "The field \"to\" is missing: where to is it to be moved?")
            }
            let step = BatchStep.make(act, kind, by: order.operator, app: order.app, to: time)
            let started = await order.question.facts.batches.start(
                ids, step, for: order.visitor.user, now: order.app.settings.now)
            guard let (name, batch) = started else {
                throw PageError(
                    .tooManyRequests, "\(Batches.mostRunning) batches run already. Wait for one, or stop it.")
            }
            let total = await batch.progress.total
            let more = ids.count > total ? " No more are in one batch." : ""
            return Outcome(
                "The batch \(name) has begun: \(act) \(Wording.count(Double(total))) of \(kind.rawValue).\(more)",
                at: "/batches/\(name)", details: ["batch": .string(name), "count": .integer(total)])
        },
        Action("/batches/{batch}/cancel", "stop the batch") { order in
            let name = order.name("batch")
            guard let batch = await order.question.facts.batches[name] else { throw PageError.missing("batch \(name)") }
            let isNew = await batch.cancel()
            return Outcome(
                isNew ? "The batch stops. What it has done is done." : "The batch was over already.", hasChanged: isNew,
                at: "/batches/\(PercentCoding.encode(name))")
        },
    ]
}
