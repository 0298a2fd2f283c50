// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Mustache

/// The templates of all pages, with the parts that they share.
struct Templates: Sendable {
    private let library: MustacheLibrary

    /// - Parameter pages: The templates by name.
    /// - Throws: Where one is no template.
    init(_ pages: [String: String]) throws {
        var library = MustacheLibrary()
        for (name, text) in pages.merging(Self.parts, uniquingKeysWith: { page, _ in page }) {
            try library.register(text, named: name)
        }
        self.library = library
    }

    /// A document in the form that the template of this name gives it.
    func render(_ name: String, _ document: JSON, now: Date) -> String {
        library.render(Shown(value: document, now: now), withTemplate: name) ?? ""
    }

    /// What pages have in common.
    private static let parts = [
        "layout": Layout.template,
        "trouble": #"<p class="alarm">{{text}}</p><p><a href="{{base}}/">To the overview</a></p>"#,
        // A state in one word, with its colour.
        "state": #"<span class="state {{.}}">{{.}}</span>"#,
        // A time: how long ago, and exactly under the pointer.
        "ago": #"<time datetime="{{.}}" title="{{time(.)}}">{{ago(.)}}</time>"#,
        "until": #"<time datetime="{{.}}" title="{{time(.)}}">{{until(.)}}</time>"#,
        // The way to a task, by its id.
        "task": #"<a class="id" href="{{base}}/tasks/{{path(.)}}">{{.}}</a>"#,
        "queue": #"<a href="{{base}}/queues/{{path(.)}}">{{.}}</a>"#,
        // How often, how long it ran and how long it waited, of a task or a queue.
        "figures": """
        <td class="number">{{count(over)}}</td><td class="number">{{#is_bad}}<span class="state failed">{{count(failed)}}</span>{{/is_bad}}{{^is_bad}}0{{/is_bad}}</td>
        {{#run}}<td class="number">{{span(p50)}}</td><td class="number">{{span(p95)}}</td><td class="number">{{span(p99)}}</td>{{/run}}
        {{#wait}}<td class="number">{{coarse(p50)}}</td><td class="number">{{coarse(p95)}}</td><td class="number">{{coarse(p99)}}</td>{{/wait}}
        """,
        "scheduleFields": ScheduleFields.template,
        // Ways to the parts of a list before and after this one.
        "pager": """
        {{#pager}}<nav class="pager" aria-label="Pages">{{#before}}<a rel="prev" href="{{base}}{{.}}">← before</a>{{/before}}
        <span>{{range}}</span>{{#after}}<a rel="next" href="{{base}}{{.}}">after →</a>{{/after}}</nav>{{/pager}}
        """,
    ]
}
