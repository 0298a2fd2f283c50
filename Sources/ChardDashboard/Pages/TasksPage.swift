// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Page {
    /// Tasks by what they are and how they ended.
    static let tasks = Page(
        "/tasks", in: .tasks, title: "Tasks",
        summary: "Tasks by state, name, queue, worker, time and text of the error; by default, what ended last.",
        parameters: TaskFilter.parameters + [.from, .limit],
        load: { question in
            let (from, limit) = try question.range()
            let filter = try TaskFilter(now: question.now, question.filter)
            let list = try await TaskList.find(filter, question, from: from, limit: limit)
            return [
                "filter": .object(filter.words.mapValues(JSON.string)),
                "states": .array(
                    TaskFilter.State.allCases.map { state in
                        ["name": .string(state.rawValue), "is_chosen": .bool(state == filter.state)]
                    }),
                "tasks": .array(list.rows.map(\.document)),
                "total": list.total.map(JSON.integer) ?? .null,
                "note": list.note.map(JSON.string) ?? .null,
                "acts": .array(filter.state.acts.map { ["act": .string($0)] }),
                "is_over": .bool(filter.state.isOver),
                "all_query": .string(Self.query(["of": "tasks"].merging(filter.words) { $1 })),
                "pager": Pager(from: from, limit: limit, count: list.rows.count, total: list.total)
                    .document(at: "/tasks", filter.words),
            ]
        },
        template: """
            <form class="filter" method="get" action="{{base}}/tasks" role="search">
            <div><label for="state">State</label><select id="state" name="state">
            {{#states}}<option value="{{name}}"{{#is_chosen}} selected{{/is_chosen}}>{{name}}</option>{{/states}}</select></div>
            <div><label for="task">Task</label><input id="task" name="task" value="{{filter.task}}" placeholder="shop.*"></div>
            <div><label for="queue">Queue</label><input id="queue" name="queue" value="{{filter.queue}}"></div>
            <div><label for="worker">Worker</label><input id="worker" name="worker" value="{{filter.worker}}"></div>
            <div><label for="since">Since</label><input id="since" name="since" value="{{filter.since}}" size="8" placeholder="1h"></div>
            <div><label for="error">Error contains</label><input id="error" name="error" value="{{filter.error}}"></div>
            <button>Show</button>
            </form>
            <form method="post" action="{{base}}/batches">
            <input type="hidden" name="of" value="tasks">
            <div data-part="tasks">
            {{#note}}<p class="quiet">{{.}}</p>{{/note}}
            <div class="scroll"><table>
            <thead><tr>{{#can_change}}<th><input type="checkbox" data-all="id" aria-label="All of this page"></th>{{/can_change}}
            <th>State</th><th>Task</th><th>Id</th><th>Queue</th><th>Worker</th><th>{{#is_over}}Ended{{/is_over}}{{^is_over}}When{{/is_over}}</th>
            <th class="number">Took</th><th>Error</th></tr></thead>
            <tbody>
            {{#tasks}}<tr>{{#can_change}}<td>{{#id}}<input type="checkbox" name="id" value="{{{exact(.)}}}" aria-label="{{.}}">{{/id}}</td>{{/can_change}}
            <td>{{#state}}{{> state}}{{/state}}</td><td>{{task}}</td><td>{{#id}}{{> task}}{{/id}}</td>
            <td>{{#queue}}{{> queue}}{{/queue}}</td><td>{{node}}</td><td>{{#at}}{{> ago}}{{/at}}</td>
            <td class="number">{{span(seconds)}}</td><td class="text">{{short(error)}}</td></tr>
            {{/tasks}}
            {{^tasks}}<tr><td class="none" colspan="9">No task is like this.</td></tr>{{/tasks}}
            </tbody></table>{{> pager}}</div>
            </div>
            {{#can_change}}<div class="actions"><span class="quiet">The chosen ones:</span>
            {{#acts}}<button name="act" value="{{act}}">{{act}}</button>{{/acts}}
            <span class="quiet">All that match:</span>
            {{#acts}}<a class="button" href="{{base}}/dry-run?{{all_query}}&amp;act={{act}}">{{act}} …</a>{{/acts}}</div>{{/can_change}}
            </form>
            """)

    /// What stands behind the `?` of an address.
    static func query(_ words: [String: String]) -> String {
        words.sorted { $0.key < $1.key }.map { "\($0.key)=\(PercentCoding.encode($0.value))" }.joined(separator: "&")
    }
}
