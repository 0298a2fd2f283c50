// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

extension Dashboard {
    /// A page, in the form that is asked for.
    func show(
        _ page: Page, to visitor: Visitor, _ request: Request, _ parameters: Parameters
    ) async throws -> Response {
        var question = try question(page.path, request, parameters)
        let notice = question.filters.removeValue(forKey: "notice").flatMap(notices.take)
        let format = question.filters.removeValue(forKey: "format")
        let accept = request.headers[.accept] ?? ""
        if accept.contains("text/event-stream") { return live(page, question, request) }
        let document = try await self.document(page, question)
        if format == "json" || accept.hasPrefix("application/json") { return Response(json: document) }
        return Response(html: html(page, document, visitor: visitor, notice: notice))
    }

    /// The data of a page: asked for once within a moment, however many look at it.
    func document(_ page: Page, _ question: Question) async throws -> JSON {
        try await facts.documents.value(question.key(of: page)) { try await page.load(question) }
    }

    /// What is below the title.
    func main(_ page: Page, _ document: JSON) -> String {
        var document = document
        document["base"] = .string(base)
        document["can_change"] = .bool(!settings.isReadOnly)
        return templates.render(page.path, document, now: app.settings.now())
    }

    private func html(_ page: Page, _ document: JSON, visitor: Visitor, notice: String?) -> String {
        frame(
            document["title"]?.string ?? page.title, main(page, document), section: page.section, isLive: page.isLive,
            visitor: visitor, notice: notice)
    }

    /// A whole page around what is below its title.
    func frame(
        _ title: String, _ main: String, section: Page.Section? = nil, isLive: Bool = false,
        visitor: Visitor = Visitor(), notice: String? = nil
    ) -> String {
        // The broker's location has no password in it.
        let broker = (try? app.broker.location) ?? ""
        let menu = Page.Section.allCases.map { item -> JSON in
            ["title": .string(item.rawValue), "path": .string(item.path), "isCurrent": .bool(item == section)]
        }
        let document: JSON = [
            "title": .string(title), "app": .string(app.name), "base": .string(base), "menu": .array(menu),
            "isLive": .bool(isLive), "isReadOnly": .bool(settings.isReadOnly), "broker": .string(broker),
            "version": .string(Chard.version), "user": .string(visitor.user), "notice": .string(notice ?? ""),
        ]
        // The rest is put in as it is: Mustache would clean it once more.
        return templates.render("layout", document, now: app.settings.now())
            .replacing("<!-- main -->", with: main, maxReplacements: 1)
    }

    /// What somebody asks.
    func question(_ path: String, _ request: Request, _ parameters: Parameters) throws -> Question {
        var names: [String: String] = [:]
        for (name, value) in parameters {
            guard let text = PercentCoding.decode(value) else {
                throw PageError(.badRequest, "The address is no text: \(value)")
            }
            names[String(name)] = text
        }
        guard let fields = PercentCoding.fields(request.uri.query ?? "") else {
            throw PageError(.badRequest, "What follows the ? in the address is no text.")
        }
        return Question(
            facts: facts, names: names,
            filters: Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last }),
            now: app.settings.now())
    }

    /// A page or a JSON object that says what went wrong.
    func trouble(_ error: PageError, _ request: Request) -> Response {
        var response: Response
        if Self.wantsJSON(request) {
            response = Response(
                json: [
                    "type": "about:blank", "title": .string(error.status.reasonPhrase),
                    "status": .integer(error.status.code), "detail": .string(error.text),
                ])
            response.headers[.contentType] = "application/problem+json"
        } else {
            let text = templates.render(
                "trouble", ["text": .string(error.text), "base": .string(base)], now: app.settings.now())
            // A page that may come back by itself tries to.
            let isAway = error.status == .serviceUnavailable && request.method == .get
            response = Response(html: frame(error.status.reasonPhrase, text, isLive: isAway))
        }
        response.status = error.status
        if error.status == .serviceUnavailable { response.headers[.retryAfter] = "2" }
        if error.status.code >= 500 {
            logger.warning(
                "the dashboard has no answer",
                metadata: ["path": "\(request.uri.path)", "status": "\(error.status.code)", "error": "\(error.text)"])
        }
        return response
    }

    static func wantsJSON(_ request: Request) -> Bool {
        let accept = request.headers[.accept] ?? ""
        return accept.hasPrefix("application/json") || request.uri.queryParameters["format"] == "json"
            || (request.headers[.contentType] ?? "").hasPrefix("application/json")
    }
}

extension Question {
    /// The same for the same question, of whoever asks.
    func key(of page: Page) -> String {
        let names = names.sorted { $0.key < $1.key }.map { "\($0.key)=\(PercentCoding.encode($0.value))" }
        let filters = filters.sorted { $0.key < $1.key }.map { "\($0.key)=\(PercentCoding.encode($0.value))" }
        return "\(page.path) \(names.joined(separator: "&")) \(filters.joined(separator: "&"))"
    }
}
