// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import ChardSQLite
import Foundation
import HTTPTypes
import Hummingbird
import Pages

/// The pages of the site.
struct PollSite: Sendable {
    let store: Store
    let outbox: Outbox
    let close: TaskHandle<Void, Int64>

    private struct NewPoll: Decodable {
        let question: String
        let choices: String
        let closesAt: String
        /// How many minutes the reader's clock is behind UTC, as JavaScript has it.
        let offset: Int?
    }

    private struct Vote: Decodable {
        let choice: Int64
    }

    func addRoutes(to router: Router<TasksContext>) {
        router.get("/") { _, _ in Page("Polls", try await list()).html }
        router.post("/polls") { request, context in try await create(request, context) }
        router.get("/polls/{id}") { _, context in
            guard let (poll, choices) = try await found(context) else { return missing }
            return page(of: poll, choices).page()
        }
        router.post("/polls/{id}/votes") { request, context in
            guard let (poll, _) = try await found(context), let id = poll.id else { return missing }
            let vote = try? await URLEncodedFormDecoder().decode(Vote.self, from: request, context: context)
            guard let vote else {
                return Page.problem("No choice", "Choose one first.", back: "/polls/\(id)").page(.badRequest)
            }
            guard try await store.vote(for: vote.choice, in: id) else {
                return Page.problem("Closed", "This poll is closed; your vote came too late.", back: "/polls/\(id)")
                    .page(.conflict)
            }
            return .redirect(to: "/polls/\(id)", type: .normal)
        }
    }

    private func found(_ context: TasksContext) async throws -> (Poll, [Choice])? {
        guard let id = context.parameters.get("id", as: Int64.self) else { return nil }
        return try await store.poll(id)
    }

    private var missing: Response { Page.problem("No such poll", "There is no poll at this address.").page(.notFound) }

    // MARK: A new poll

    private func create(_ request: Request, _ context: TasksContext) async throws -> Response {
        let form: NewPoll
        do {
            form = try await URLEncodedFormDecoder().decode(NewPoll.self, from: request, context: context)
        } catch {
            return Page.problem("Not a poll", "The form is incomplete.").page(.badRequest)
        }
        let question = form.question.trimmingCharacters(in: .whitespacesAndNewlines)
        let choices = form.choices.split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard !question.isEmpty, question.count <= 200 else {
            return Page.problem("Not a poll", "A poll needs a question of at most 200 characters.").page(.badRequest)
        }
        guard (2...20).contains(choices.count), choices.allSatisfy({ $0.count <= 200 }) else {
            return Page.problem("Not a poll", "A poll needs 2 to 20 choices, each on a line of its own.").page(
                .badRequest)
        }
        guard let closesAt = Self.date(form.closesAt, offset: form.offset ?? 0) else {
            return Page.problem("Not a poll", "The closing time is none.").page(.badRequest)
        }
        guard closesAt > Date(), closesAt < Date() + 366 * 86_400 else {
            return Page.problem("Not a poll", "The closing time has to be in the future, within a year.").page(
                .badRequest)
        }
        // In one transaction: no poll that is never closed, and no task without its poll.
        let id = try await store.add(question, choices, closesAt: closesAt) { id, db in
            try outbox.enqueue(close.signature(id, at: closesAt), in: db)
        }
        return .redirect(to: "/polls/\(id)", type: .normal)
    }

    /// Reads `2026-11-26T18:00` or with seconds, by the reader's clock.
    static func date(_ text: String, offset: Int) -> Date? {
        let text = text.count == 16 ? text + ":00" : text
        guard let date = try? Date(text + "Z", strategy: .iso8601) else { return nil }
        return date.addingTimeInterval(Double(max(-1_440, min(1_440, offset))) * 60)
    }

    // MARK: Pages

    private func list() async throws -> HTML {
        let polls = try await store.polls()
        let rows = polls.map { poll -> HTML in
            let state = poll.isOpen ? "open" : "closed"
            return """
                <tr><td><a href="/polls/\(poll.id ?? 0)">\(poll.question)</a></td>
                <td class="number"><span class="state \(state)">\(state)</span></td></tr>
                """
        }
        let table: HTML = polls.isEmpty ? "<p class=\"quiet\">No polls yet.</p>" : "<table>\(rows)</table>"
        return """
            \(table)
            <h2>A new poll</h2>
            <form method="post" action="/polls">
            <label for="question">Question</label>
            <input id="question" name="question" required maxlength="200">
            <label for="choices">Choices, one a line</label>
            <textarea id="choices" name="choices" rows="4" required></textarea>
            <label for="closesAt">Closes at <span class="quiet" id="zone">(UTC)</span></label>
            <input id="closesAt" name="closesAt" type="datetime-local" step="1" required>
            <input type="hidden" id="offset" name="offset" value="0">
            <button>Create</button>
            </form>
            <script>
            document.getElementById("offset").value = new Date().getTimezoneOffset();
            document.getElementById("zone").textContent = "(your time)";
            </script>
            """
    }

    private func page(of poll: Poll, _ choices: [Choice]) -> HTML {
        let total = choices.reduce(0) { $0 + $1.votes }
        let results = choices.map { choice -> HTML in
            """
            <tr><td>\(choice.text)</td><td class="bar"><meter min="0" max="\(max(total, 1))" value="\(choice.votes)"></meter></td>
            <td class="number">\(choice.votes)</td></tr>
            """
        }
        let id = poll.id ?? 0
        let ballots = choices.map { choice -> HTML in
            """
            <label class="choice"><input type="radio" name="choice" value="\(choice.id ?? 0)" required>\(choice.text)</label>
            """
        }
        let ballot: HTML = """
            <form method="post" action="/polls/\(id)/votes">\(ballots)<button>Vote</button></form>
            """
        let closing = poll.closesAt.formatted(.iso8601)
        let state: HTML =
            poll.closedAt == nil
            ? """
            <p>Closes at <time id="closing" datetime="\(closing)">\(closing)</time><span id="left"></span>.</p>
            <script>
            const closing = new Date(document.getElementById("closing").dateTime);
            document.getElementById("closing").textContent = closing.toLocaleString();
            function tick() {
              const left = Math.round((closing - Date.now()) / 1000);
              // Not at once: a worker that is away must not keep the page busy.
              if (left < -1) { setTimeout(() => location.reload(), 2000); return; }
              document.getElementById("left").textContent = left > 0 ? ", in " + left + " s" : ", now";
              setTimeout(tick, 1000);
            }
            tick();
            </script>
            """
            : "<p id=\"closed\"><strong>This poll is closed.</strong></p>"
        return Page(
            poll.question,
            """
            \(state)
            \(poll.isOpen ? ballot : HTML([]))
            <h2>\(total == 1 ? "1 vote" : "\(total) votes")</h2>
            <table>\(results)</table>
            <p><a href="/">All polls</a></p>
            """
        ).html
    }
}
