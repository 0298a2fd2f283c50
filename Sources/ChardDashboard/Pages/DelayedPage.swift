// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension Page {
    /// What waits for its time.
    static let delayed = Page(
        "/delayed", in: .delayed, title: "Delayed",
        summary: "What waits for its time, retries among it: the next hour by minutes, and a list, the earliest first.",
        parameters: [
            Parameter("queue", "the queue; * stands for any run of characters"),
            Parameter("task", "the task's name; * stands for any run of characters"), .from, .limit,
        ],
        load: { question in
            let (from, limit) = try question.range()
            let names = ["queue", "task"]
            var filter = try TaskFilter(now: question.now) { names.contains($0) ? question.filter($0) : nil }
            filter.state = .delayed
            let budget = TaskList.pageBudget
            let list = try await TaskList.find(filter, question, from: 0, limit: budget)
            let shown = list.rows.dropFirst(from).prefix(limit)
            return [
                "filter": .object(filter.words.mapValues(JSON.string)),
                "bars": .array(DelayedBars.document(of: list.rows, now: question.now)),
                "late": .integer(list.rows.count { $0.state == "late" }),
                "tasks": .array(shown.map(\.document)), "total": list.total.map(JSON.integer) ?? .null,
                "note": list.note.map(JSON.string) ?? .null,
                "all_query": .string(Page.query(["of": "delayed"].merging(filter.words) { $1 })),
                "pager": Pager(from: from, limit: limit, count: shown.count, total: list.total)
                    .document(at: "/delayed", filter.words),
            ]
        },
        template: """
            <form class="filter" method="get" action="{{base}}/delayed" role="search">
            <div><label for="queue">Queue</label><input id="queue" name="queue" value="{{filter.queue}}"></div>
            <div><label for="task">Task</label><input id="task" name="task" value="{{filter.task}}"></div>
            <button>Show</button>
            </form>
            <div data-part="hour"><div class="card">{{{bars(bars)}}}<div class="axis"><span>late</span><span>in an hour</span></div></div>
            {{#positive(late)}}<p class="warning">{{count(late)}} are late: their time has come, and nobody has moved them to their queue. Workers of Chard do that, on any queue.</p>{{/positive(late)}}
            </div>
            <h2>The earliest first</h2>
            <form method="post" action="{{base}}/batches">
            <input type="hidden" name="of" value="delayed">
            <div data-part="tasks">
            {{#note}}<p class="quiet">{{.}}</p>{{/note}}
            <div class="scroll"><table>
            <thead><tr>{{#can_change}}<th><input type="checkbox" data-all="id" aria-label="All of this page"></th>{{/can_change}}
            <th>Due</th><th></th><th>Task</th><th>Id</th><th>Queue</th>{{#can_change}}<th></th>{{/can_change}}</tr></thead>
            <tbody>
            {{#tasks}}<tr>{{#can_change}}<td>{{#id}}<input type="checkbox" name="id" value="{{{exact(.)}}}" aria-label="{{.}}">{{/id}}</td>{{/can_change}}
            <td>{{#at}}{{> until}}{{/at}}</td><td>{{#state}}{{> state}}{{/state}}</td><td>{{task}}</td><td>{{#id}}{{> task}}{{/id}}</td>
            <td>{{#queue}}{{> queue}}{{/queue}}</td>
            {{#can_change}}<td>{{#id}}<button formaction="{{base}}/delayed/{{path(.)}}/run">Run now</button>
            <button class="danger" formaction="{{base}}/delayed/{{path(.)}}/cancel">Cancel</button>
            <button formaction="{{base}}/delayed/{{path(.)}}/move" title="To the time in the field below">Move</button>{{/id}}</td>{{/can_change}}</tr>
            {{/tasks}}
            {{^tasks}}<tr><td class="none" colspan="7">Nothing waits for its time.</td></tr>{{/tasks}}
            </tbody></table>{{> pager}}</div>
            </div>
            {{#can_change}}<div class="actions"><label for="to">Move to</label><input id="to" name="to" size="12" placeholder="+30m">
            <span class="quiet">The chosen ones:</span>
            <button name="act" value="move">move</button><button name="act" value="run">run</button><button name="act" value="cancel">cancel</button>
            <span class="quiet">All that match:</span>
            <a class="button" href="{{base}}/dry-run?{{all_query}}&amp;act=move">move …</a>
            <a class="button" href="{{base}}/dry-run?{{all_query}}&amp;act=run">run …</a>
            <a class="button" href="{{base}}/dry-run?{{all_query}}&amp;act=cancel">cancel …</a></div>{{/can_change}}
            </form>
            """)
}

/// The next hour of what is delayed, a bar for each two minutes behind one for all that is late.
enum DelayedBars {
    private static let width = 120.0

    static func document(of rows: [TaskRow], now: Date) -> [JSON] {
        var counts = [Int](repeating: 0, count: 31)
        for row in rows {
            guard let left = row.at.map({ $0.timeIntervalSince(now) }), left < 3_600 else { continue }
            counts[row.state == "late" ? 0 : 1 + Int(max(0, left) / width)] += 1
        }
        return counts.enumerated().map { index, count in
            let minutes = index == 0 ? "late" : "in \((index - 1) * 2) to \(index * 2) min"
            return [
                "value": .integer(count), "bad": .integer(index == 0 ? count : 0),
                "label": .string("\(minutes): \(count)"),
            ]
        }
    }
}
