// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardHummingbird
import Foundation
import HTTPTypes
import Hummingbird
import Pages

/// The page: a form, the latest ten reviews and their number.
struct ReviewSite: Sendable {
    let store: Store

    private struct NewReview: Decodable {
        let name: String
        let stars: Int
        let text: String
    }

    func addRoutes(to router: Router<TasksContext>) {
        router.get("/") { _, _ in try await page() }
        router.post("/reviews") { request, context in
            let form = try? await URLEncodedFormDecoder().decode(NewReview.self, from: request, context: context)
            guard let form, (1...5).contains(form.stars) else {
                return Page.problem("Not a review", "The form is incomplete.").page(.badRequest)
            }
            let (name, text) = (form.name.trimmingSpace(), form.text.trimmingSpace())
            guard (1...100).contains(name.count), (1...2_000).contains(text.count) else {
                return Page.problem("Not a review", "A review needs a name and a text of at most 2,000 characters.")
                    .page(.badRequest)
            }
            try await store.add(name, form.stars, text)
            return .redirect(to: "/", type: .normal)
        }
    }

    private func page() async throws -> HTML {
        let (reviews, count) = try await store.latest()
        let cards = reviews.map { review -> HTML in
            let stars = String(repeating: "★", count: review.stars) + String(repeating: "☆", count: 5 - review.stars)
            return """
                <article class="card"><strong>\(review.name)</strong>
                <span role="img" aria-label="\(review.stars) of 5 stars">\(stars)</span>
                <div>\(review.text)</div>
                <time class="quiet" datetime="\(review.at.formatted(.iso8601))">\(review.at.formatted(.iso8601))</time></article>
                """
        }
        let choices = (1...5).reversed().map { stars -> HTML in "<option value=\"\(stars)\">\(stars) of 5</option>" }
        return Page(
            "Reviews",
            """
            <form method="post" action="/reviews">
            <label for="name">Name</label>
            <input id="name" name="name" required maxlength="100">
            <label for="stars">Stars</label>
            <select id="stars" name="stars">\(choices)</select>
            <label for="text">Review</label>
            <textarea id="text" name="text" rows="3" required maxlength="2000"></textarea>
            <button>Send</button>
            </form>
            <h2 id="count">\(count == 1 ? "1 review" : "\(count) reviews")</h2>
            \(cards)
            <script>
            for (const time of document.querySelectorAll("time"))
              time.textContent = new Date(time.dateTime).toLocaleString();
            </script>
            """
        ).html
    }
}
