// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

extension Dashboard {
    /// More than that is in no form.
    private static let mostForm = 4 << 20

    /// Carries out an order, tells the log, and sends whoever gave it to the page that shows what came of it.
    func perform(
        _ action: Action, for visitor: Visitor, _ request: Request, _ parameters: Parameters
    ) async throws -> Response {
        guard !request.isForeign else {
            throw PageError(.forbidden, "This order comes from another site. Nothing was done.")
        }
        guard !settings.isReadOnly else {
            throw PageError(.forbidden, "This dashboard only shows: nothing can be changed with it.")
        }
        let order = Order(
            question: try question(action.path, request, parameters), fields: try await fields(of: request),
            visitor: visitor)
        for field in action.fields where field.isRequired { _ = try order.required(field.name) }
        let target = order.question.names.sorted { $0.key < $1.key }.map(\.value).joined(separator: ", ")
        func note(_ outcome: String, hasChanged: Bool) async {
            logger.notice(
                "dashboard: \(action.deed)",
                metadata: [
                    "target": "\(target)", "user": "\(visitor.user)", "outcome": "\(outcome)",
                    "changed": "\(hasChanged)",
                ])
            await settings.audit?(
                AuditEntry(
                    user: visitor.user, deed: action.deed, target: target, outcome: outcome, hasChanged: hasChanged))
        }
        let outcome: Outcome
        do {
            outcome = try await action.perform(order)
        } catch {
            await note(PageError(error).text, hasChanged: false)
            throw error
        }
        await note(outcome.text, hasChanged: outcome.hasChanged)
        await facts.forget()
        if Self.wantsJSON(request) {
            let said: [String: JSON] = [
                "outcome": .string(outcome.text), "changed": .bool(outcome.hasChanged),
                "place": .string(base + outcome.place),
            ]
            return Response(json: .object(outcome.details.merging(said) { $1 }))
        }
        let mark = outcome.place.contains("?") ? "&" : "?"
        return .redirect(to: "\(base)\(outcome.place)\(mark)notice=\(notices.add(outcome.text))", type: .normal)
    }

    /// The fields of a form, or the members of a JSON object, of which lists stand for several fields of one name.
    private func fields(of request: Request) async throws -> [(name: String, value: String)] {
        let body: [UInt8]
        do {
            body = Array((try await request.body.collect(upTo: Self.mostForm)).readableBytesView)
        } catch {
            throw PageError(.contentTooLarge, "A form has at most \(Self.mostForm >> 20) MB.")
        }
        if (request.headers[.contentType] ?? "").hasPrefix("application/json") {
            guard let members = (try? JSON(parsing: body))?.object else {
                throw PageError(.badRequest, "What was sent is no JSON object.")
            }
            return members.sorted { $0.key < $1.key }.flatMap { name, value in
                (value.array ?? [value]).map { (name, $0.string ?? String(decoding: $0.encoded(), as: UTF8.self)) }
            }
        }
        guard let fields = PercentCoding.fields(String(decoding: body, as: UTF8.self)) else {
            throw PageError(.badRequest, "The form is no text.")
        }
        return fields
    }
}
