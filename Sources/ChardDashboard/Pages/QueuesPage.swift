// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Page {
    /// Every queue with what is in it.
    static let queues = Page(
        "/queues", in: .queues, title: "Queues", summary: "Every queue with what is in it, and who serves it.",
        parameters: [Parameter("name", "a part of the queue's name"), .from, .limit],
        load: { question in
            let (from, limit) = try question.range()
            let (reports, workers) = (try await question.facts.queues.value(), try await question.facts.workers.value())
            let wanted = question.filter("name")?.lowercased()
            let found = reports.filter { report in wanted.map { report.queue.lowercased().contains($0) } ?? true }
            let served = ServedQueues(workers)
            let shown = found.dropFirst(from).prefix(limit)
            return [
                "name": .string(question.filter("name") ?? ""),
                "total": .integer(found.count),
                "waiting": .integer(found.reduce(0) { $0 + $1.waiting }),
                "queues": .array(shown.map { QueueDocument.make($0, served) }),
                "pager": Pager(from: from, limit: limit, count: shown.count, total: found.count)
                    .document(at: "/queues", question.filters.filter { $0.key == "name" }),
            ]
        },
        template: """
            <form class="filter" method="get" action="{{base}}/queues" role="search">
            <div><label for="name">Name contains</label><input id="name" name="name" value="{{name}}"></div>
            <button>Show</button>
            </form>
            <div data-part="queues">
            {{^queues}}<p class="quiet">There is no queue{{#name}} with this name{{/name}} yet: the first task that is sent makes one.</p>{{/queues}}
            <div class="scroll"><table>
            <thead><tr><th>Queue</th><th class="number">Waiting</th><th class="number">Oldest</th><th class="number">Delayed</th>
            <th class="number">Leased</th><th class="number">Dead</th><th class="number">Workers</th><th></th></tr></thead>
            <tbody>
            {{#queues}}
            <tr><td>{{#queue}}{{> queue}}{{/queue}}</td><td class="number">{{count(waiting)}}</td>
            <td class="number">{{span(oldest_wait)}}</td><td class="number">{{count(delayed)}}</td>
            <td class="number">{{count(leased)}}</td>
            <td class="number">{{#positive(dead)}}<a href="{{base}}/dead?queue={{query(queue)}}">{{count(dead)}}</a>{{/positive(dead)}}{{^positive(dead)}}0{{/positive(dead)}}</td>
            <td class="number">{{count(workers)}}</td>
            <td>{{#is_paused}}<span class="state paused">paused</span>{{/is_paused}}
            {{#is_unserved}}<span class="state late">nobody serves it</span>{{/is_unserved}}
            {{#trouble}}<span class="state danger">{{.}}</span>{{/trouble}}</td></tr>
            {{/queues}}
            </tbody></table>{{> pager}}</div>
            </div>
            """)
}

/// Which workers serve which queue.
struct ServedQueues {
    private let workers: [String: [WorkerReport]]

    init(_ workers: [WorkerReport]) {
        var served: [String: [WorkerReport]] = [:]
        for worker in workers { for queue in worker.queues { served[queue, default: []].append(worker) } }
        self.workers = served
    }

    subscript(queue: String) -> [WorkerReport] { workers[queue] ?? [] }
}

/// A queue as pages have it.
enum QueueDocument {
    static func make(_ report: QueueReport, _ served: ServedQueues) -> JSON {
        let workers = served[report.queue]
        return [
            "queue": .string(report.queue), "waiting": .integer(report.waiting), "delayed": .integer(report.delayed),
            "leased": .integer(report.leased), "dead": .integer(report.dead), "is_paused": .bool(report.isPaused),
            "oldest_wait": report.oldestWait.map(JSON.number) ?? .null,
            "trouble": report.trouble.map(JSON.string) ?? .null, "workers": .integer(workers.count),
            "slots": .integer(workers.reduce(0) { $0 + $1.concurrency }),
            "is_unserved": .bool(workers.isEmpty && report.waiting + report.delayed > 0),
            "unread": .array(report.unread.map { ["list": .string($0.list), "count": .integer($0.count)] }),
        ]
    }
}
