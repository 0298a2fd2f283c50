// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import Foundation
import HTTPTypes
import Hummingbird
import Pages

/// The page: a question, two buttons, and a table that fills.
struct Dashboard: Sendable {
    let store: Store
    let ask: TaskHandle<String, Int64, String>

    private struct Question: Decodable {
        let question: String
    }

    func addRoutes(to router: Router<TasksContext>) {
        router.get("/") { _, _ in page(try await table()) }
        router.get("/rows") { _, _ in try await table() }
        router.post("/background") { request, context in
            try await add(request, context) { row, question in
                // In this process, behind the answer.
                try context.background(ask, row, question)
            }
        }
        router.post("/queue") { request, context in
            try await add(request, context) { row, question in
                // One word changed: a worker does it, it outlives this process, and its progress can be seen.
                let job = try await context.enqueue(ask, row, question)
                try await store.note(job: job.id, of: row)
            }
        }
    }

    private func add(
        _ request: Request, _ context: TasksContext, _ start: (Int64, String) async throws -> Void
    ) async throws -> Response {
        let form = try? await URLEncodedFormDecoder().decode(Question.self, from: request, context: context)
        let question = form?.question.trimmingSpace() ?? ""
        guard (1...200).contains(question.count) else {
            return Page.problem("No question", "A question has 1 to 200 characters.").page(.badRequest)
        }
        let row = try await store.add(question)
        do {
            try await start(row, question)
        } catch {
            try await store.remove(row)
            throw error
        }
        return .redirect(to: "/", type: .normal)
    }

    // MARK: Pages

    private func table() async throws -> HTML {
        let rows = try await store.rows().map { row -> HTML in
            let took = row.answeredAt.map { "\(Int(($0.timeIntervalSince(row.askedAt)).rounded())) s" } ?? ""
            let bar: HTML = row.job == nil ? "<progress></progress>" : "<progress max=\"100\" value=\"0\"></progress>"
            let answer: HTML = row.answer.map { "\($0)" } ?? bar
            let state = row.answer == nil ? "open" : "done"
            return """
                <tr data-state="\(state)" data-job="\(row.job ?? "")"><td>\(row.question)</td>
                <td>\(row.job == nil ? "this process" : "a worker")</td><td>\(answer)</td><td class="number">\(took)</td></tr>
                """
        }
        guard !rows.isEmpty else { return "<p class=\"quiet\">Nothing was asked yet.</p>" }
        return
            "<table><tr><th>Question</th><th>Run by</th><th>Answer</th><th class=\"number\">Took</th></tr>\(rows)</table>"
    }

    private func page(_ table: HTML) -> HTML {
        Page(
            "Slow dashboard",
            """
            <p class="quiet">The service needs its time for each question; the page does not wait for it.</p>
            <form method="post" action="/queue">
            <label for="question">Question</label>
            <input id="question" name="question" required maxlength="200">
            <button id="queue">Ask in a worker</button>
            <button id="background" class="second" formaction="/background">Ask in this process</button>
            </form>
            <h2>Answers</h2>
            <div id="rows" aria-live="polite">\(table)</div>
            <script>
            const rows = document.getElementById("rows"), streams = new Map();
            async function refresh() {
              try {
                const answer = await fetch("/rows");
                if (answer.ok) rows.innerHTML = await answer.text();
              } catch { /* The site is away; it is asked again. */ }
              watch();
            }
            // What a worker runs tells of itself; for what this server runs, the page asks.
            function watch() {
              let mustAsk = false;
              for (const row of rows.querySelectorAll("tr[data-state=open]")) {
                const job = row.dataset.job;
                if (!job) { mustAsk = true; continue; }
                if (streams.has(job)) { show(job); continue; }
                const stream = new EventSource("/jobs/" + job + "/events");
                streams.set(job, { stream, progress: 0 });
                stream.addEventListener("status", event => {
                  const progress = JSON.parse(event.data).progress;
                  if (progress) { streams.get(job).progress = 100 * progress.current / progress.total; show(job); }
                });
                stream.addEventListener("end", () => { stream.close(); refresh(); });
                stream.onerror = () => {
                  // Cut off, it comes again by itself; refused, the page asks.
                  if (stream.readyState == EventSource.CLOSED) { streams.delete(job); setTimeout(refresh, 2000); }
                };
              }
              if (mustAsk) setTimeout(refresh, 1000);
            }
            function show(job) {
              const bar = rows.querySelector('tr[data-job="' + job + '"] progress');
              if (bar) bar.value = streams.get(job).progress;
            }
            watch();
            </script>
            """
        ).html
    }
}
