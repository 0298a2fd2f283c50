// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// One page: an address, what is to be known for it, and how that is shown.
///
/// What it loads is a JSON document, and all that its template shows is in there. So a page has three forms under one address: HTML
/// for people, the document for programs, and a stream of its HTML, anew whenever it has changed.
struct Page: Sendable {
    /// What the menu has.
    enum Section: String, Sendable, CaseIterable {
        case overview = "Overview"
        case queues = "Queues"
        case tasks = "Tasks"
        case delayed = "Delayed"
        case dead = "Dead"
        case schedules = "Schedules"
        case workers = "Workers"
        case workflows = "Workflows"
        case broker = "Broker"

        /// Where it leads, below the dashboard's own address.
        var path: String { self == .overview ? "/" : "/\(rawValue.lowercased())" }
    }

    /// Something that may stand behind the `?` of its address.
    struct Parameter: Sendable {
        let name: String
        let meaning: String

        init(_ name: String, _ meaning: String) {
            self.name = name
            self.meaning = meaning
        }
    }

    /// Below the dashboard's own address, with parameters in braces: `/queues/{queue}`.
    let path: String
    let section: Section
    let title: String
    /// What it shows, in a sentence, for the description of the API.
    let summary: String
    let parameters: [Parameter]
    /// Whether it follows what it shows. Not where somebody is to decide on what it says.
    let isLive: Bool
    let load: @Sendable (Question) async throws -> JSON
    /// The Mustache template of what is below the title.
    let template: String

    init(
        _ path: String, in section: Section, title: String, summary: String, parameters: [Parameter] = [],
        isLive: Bool = true, load: @escaping @Sendable (Question) async throws -> JSON, template: String
    ) {
        self.path = path
        self.section = section
        self.title = title
        self.summary = summary
        self.parameters = parameters
        self.isLive = isLive
        self.load = load
        self.template = template
    }
}

extension Page.Parameter {
    /// How many to pass over, in lists.
    static let from = Page.Parameter("from", "how many to pass over; 0 unless it is said")
    /// How many at most, in lists.
    static let limit = Page.Parameter("limit", "how many at most; 50 unless it is said, and no more than 500")
}
