// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Page {
    /// One queue, with its messages.
    static let queue = Page(
        "/queues/{queue}", in: .queues, title: "Queue",
        summary: "One queue: what is in it, who serves it, its waiting messages and those that workers hold.",
        parameters: [.from, .limit],
        load: { question in
            let name = question.name("queue")
            let (from, limit) = try question.range()
            guard let report = try await question.facts.queues.value().first(where: { $0.queue == name }) else {
                throw PageError.missing("queue \(name)")
            }
            let workers = try await question.facts.workers.value()
            let queues = question.operator.queues
            let waiting = try await queues.waiting(in: name, from: from, limit: limit)
            let leased = try await queues.leased(in: name, limit: 50)
            let nodes = Dictionary(workers.map { ($0.identity, $0.node) }, uniquingKeysWith: { first, _ in first })
            let served = ServedQueues(workers)
            guard case .object(var document) = QueueDocument.make(report, served) else { return .null }
            document["title"] = .string("Queue \(name)")
            document["trend"] = .array(await question.facts.trends.trend[name].map { .integer($0.waiting) })
            document["served_by"] = .array(
                served[name].prefix(100).map { ["node": .string($0.node), "slots": .integer($0.concurrency)] })
            document["messages"] = .array(
                waiting.enumerated().map { index, message in
                    MessageDocument.make(message, place: from + index, question.facts)
                })
            document["held"] = .array(
                leased.map {
                    MessageDocument.make($0, node: $0.holder.map { nodes[$0] ?? $0 }, question.facts)
                })
            document["pager"] = Pager(from: from, limit: limit, count: waiting.count, total: report.waiting)
                .document(at: "/queues/\(PercentCoding.encode(name))")
            return .object(document)
        },
        template: """
            <div data-part="figures">
            {{#is_paused}}<p class="warning">The queue is paused: no worker takes from it.</p>{{/is_paused}}
            {{#is_unserved}}<p class="alarm">No worker of Chard serves this queue. Start one with <code>worker -Q {{queue}}</code>.</p>{{/is_unserved}}
            {{#trouble}}<p class="alarm">{{.}}</p>{{/trouble}}
            {{#unread}}<p class="warning">{{count(count)}} in {{list}}: no worker looks there.</p>{{/unread}}
            <ul class="cards">
            <li><b>{{count(waiting)}}</b>waiting{{{spark(trend)}}}</li>
            <li><b>{{span(oldest_wait)}}{{^oldest_wait}}–{{/oldest_wait}}</b>the next has waited</li>
            <li><a href="{{base}}/delayed?queue={{query(queue)}}"><b>{{count(delayed)}}</b>delayed</a></li>
            <li><b>{{count(leased)}}</b>with workers</li>
            <li><a href="{{base}}/dead?queue={{query(queue)}}"><b>{{count(dead)}}</b>dead</a></li>
            <li><b>{{count(workers)}}</b>workers, {{count(slots)}} slots</li>
            </ul>
            {{#can_change}}<div class="actions">
            {{^is_paused}}<form method="post" action="{{base}}/queues/{{path(queue)}}/pause"><button>Pause</button></form>{{/is_paused}}
            {{#is_paused}}<form method="post" action="{{base}}/queues/{{path(queue)}}/resume"><button class="main">Resume</button></form>{{/is_paused}}
            <a class="button" href="{{base}}/queues/{{path(queue)}}/purge">Purge …</a>
            </div>{{/can_change}}
            {{#served_by}}<span class="state">{{node}}</span> {{/served_by}}
            </div>
            <h2>Waiting, the next one first</h2>
            <div class="scroll" data-part="waiting"><table>
            <thead><tr><th class="number">Place</th><th>Task</th><th>Id</th><th class="number">Priority</th><th>Sent</th><th>Arguments</th></tr></thead>
            <tbody>
            {{#messages}}<tr><td class="number">{{count(place)}}</td><td>{{task}}</td><td>{{#id}}{{> task}}{{/id}}</td>
            <td class="number">{{priority}}</td><td>{{#sent_at}}{{> ago}}{{/sent_at}}</td><td class="text"><code>{{short(arguments)}}</code>{{#size}} <span class="quiet">{{bytes(.)}}</span>{{/size}}</td></tr>
            {{/messages}}
            {{^messages}}<tr><td class="none" colspan="6">Nothing waits.</td></tr>{{/messages}}
            </tbody></table>{{> pager}}</div>
            <h2>With workers</h2>
            <div class="scroll" data-part="leased"><table>
            <thead><tr><th>Worker</th><th>Task</th><th>Id</th><th>Sent</th><th>Arguments</th></tr></thead>
            <tbody>
            {{#held}}<tr><td>{{node}}</td><td>{{task}}</td><td>{{#id}}{{> task}}{{/id}}</td><td>{{#sent_at}}{{> ago}}{{/sent_at}}</td>
            <td class="text"><code>{{short(arguments)}}</code></td></tr>
            {{/held}}
            {{^held}}<tr><td class="none" colspan="5">No worker holds any of it.</td></tr>{{/held}}
            </tbody></table></div>
            """)

    /// Whether a queue is really to be emptied.
    static let purging = Page(
        "/queues/{queue}/purge", in: .queues, title: "Purge",
        summary: "What a purge of a queue would delete.",
        load: { question in
            let name = question.name("queue")
            guard let report = try await question.facts.queues.value().first(where: { $0.queue == name }) else {
                throw PageError.missing("queue \(name)")
            }
            return [
                "title": .string("Purge \(name)"), "queue": .string(name), "waiting": .integer(report.waiting),
                "delayed": .integer(report.delayed),
            ]
        },
        template: """
            <p>This deletes the <b>{{count(waiting)}}</b> messages that wait in {{#queue}}{{> queue}}{{/queue}}, for good. What workers hold stays.</p>
            {{#can_change}}<form method="post" action="{{base}}/queues/{{path(queue)}}/purge">
            <p><label><input type="checkbox" name="delayed" value="true"> also the {{count(delayed)}} that wait for their time</label></p>
            <div class="actions"><button class="danger">Delete them</button>
            <a class="button" href="{{base}}/queues/{{path(queue)}}">Keep them</a></div>
            </form>{{/can_change}}
            """)
}
