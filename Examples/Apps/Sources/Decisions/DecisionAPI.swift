// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Pages

/// The API, and a page that uses it.
struct DecisionAPI: Sendable {
    private let tasks: DecisionTasks
    private let store: any Store
    private let cache: Cache

    init(_ app: Chard, _ tasks: DecisionTasks) throws {
        self.tasks = tasks
        store = try app.dependencies.get((any Store).self)
        cache = try app.dependencies.get(Cache.self)
    }

    func addRoutes(to router: Router<TasksContext>) {
        router.get("/") { _, _ in page }
        router.post("/decisions") { request, context in
            let loan = try await loan(request, context)
            // A cache that is away costs time, and nothing else.
            if var known = try? await cache.get(loan.key) {
                known.by = "cache"
                return try known.response(from: request, context: context)
            }
            let decision = Decision(id: UUID().uuidString.lowercased(), Model.predict(loan), by: "model")
            // Both after the response, in this order: nobody waits for the database.
            try context.background(tasks.save, decision)
            try context.background(tasks.remember, loan.key, decision)
            return try decision.response(from: request, context: context)
        }
        router.post("/decisions/async") { request, context in
            try await context.accepted(tasks.simulate, try await loan(request, context))
        }
        router.post("/decisions/bureau") { request, context in
            try await context.accepted(tasks.askBureau, try await loan(request, context))
        }
        router.get("/decisions/{id}") { request, context in
            let id = try context.parameters.require("id")
            do {
                guard let decision = try await store.decision(id) else {
                    return problem(.notFound, "There is no decision of this id.")
                }
                return try decision.response(from: request, context: context)
            } catch let error as StoreError where error.isAway {
                context.logger.error("answered 503", metadata: ["error": "\(error)"])
                return problem(
                    .serviceUnavailable, "The database cannot be reached at the moment. Try again in a moment.",
                    headers: [.retryAfter: "5"])
            }
        }
    }

    private func loan(_ request: Request, _ context: TasksContext) async throws -> LoanRequest {
        let loan: LoanRequest
        do {
            loan = try await request.decode(as: LoanRequest.self, context: context)
        } catch {
            throw HTTPError(.badRequest, message: #"send {"income": number, "amount": number, "years": whole number}"#)
        }
        if let problem = loan.problem { throw HTTPError(.unprocessableContent, message: problem) }
        return loan
    }

    private func problem(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:]) -> Response {
        let text = #"{"title":"\#(status.reasonPhrase)","status":\#(status.code),"detail":"\#(detail)"}"#
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private var page: HTML {
        Page(
            "Decisions",
            """
            <p class="quiet">Shall they get the loan? A model says it at once; a simulation or a bureau takes its time.</p>
            <form id="form">
            <label for="income">Income a year</label>
            <input id="income" name="income" type="number" min="0" value="52000" required>
            <label for="amount">Amount</label>
            <input id="amount" name="amount" type="number" min="1" value="90000" required>
            <label for="years">Years</label>
            <input id="years" name="years" type="number" min="1" max="40" value="10" required>
            <button value="/decisions">Decide now</button>
            <button class="second" value="/decisions/async">Simulate</button>
            <button class="second" value="/decisions/bureau">Ask the bureau</button>
            </form>
            <div id="answers" aria-live="polite"></div>
            <script>
            const form = document.getElementById("form"), answers = document.getElementById("answers");
            form.addEventListener("submit", async event => {
              event.preventDefault();
              const loan = {};
              for (const input of form.querySelectorAll("input")) loan[input.name] = Number(input.value);
              const card = document.createElement("div");
              card.className = "card"; card.textContent = "…"; answers.prepend(card);
              try {
                let answer = await fetch(event.submitter.value,
                  { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(loan) });
                let document = await answer.json();
                if (answer.status == 202) document = await wait(answer.headers.get("Location"), document, card);
                if (document) show(card, document);
              } catch (error) { card.textContent = "That did not work: " + error; }
            });
            async function wait(place, document, card) {
              while (document.status == "PENDING") {
                card.textContent = "PENDING " + document.id;
                await new Promise(done => setTimeout(done, 500));
                document = await (await fetch(place)).json();
              }
              return (await fetch(document.status == "READY" ? "/decisions/" + document.id : place + "/result")).json();
            }
            function show(card, decision) {
              const error = decision.detail ?? decision.error?.message;
              card.textContent = error ?? (decision.approved ? "Approved" : "Declined") + ", score " + decision.score
                + ", by the " + decision.by;
              card.dataset.by = decision.by ?? "problem";
            }
            </script>
            """
        ).html
    }
}
