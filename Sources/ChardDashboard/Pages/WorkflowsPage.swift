// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes

extension Page {
    /// The workflows that were sent last.
    static let workflows = Page(
        "/workflows", in: .workflows, title: "Workflows",
        summary: "The workflows that were sent last: chains, groups, chords and flows as wholes.",
        parameters: [
            Parameter("state", "waiting, running, succeeded, failed or cancelled, of those that were sent last"),
            Parameter("limit", "how many of those that were sent last; 30 unless it is said, and no more than 200"),
        ],
        load: { question in
            let limit = try question.number("limit", in: 1...200, default: 30)
            let state = question.filter("state")
            guard state.map({ WorkflowState(rawValue: $0) != nil }) ?? true else {
                throw PageError(
                    .badRequest,
                    "The filter \"state\" is \"\(state?.prefix(100) ?? "")\"; it must be waiting, running, succeeded, failed or "
                        + "cancelled.")
            }
            let reports = try await question.facts.workflows.value(String(limit)) {
                try await question.app.workflows(limit: limit)
            }
            let found = reports.filter { report in state.map { report.state.rawValue == $0 } ?? true }
            return [
                "state": .string(state ?? ""), "limit": .integer(limit),
                "more": reports.count == limit && limit < 200 ? .integer(min(200, limit * 2)) : .null,
                "states": .array(
                    ["waiting", "running", "succeeded", "failed", "cancelled"].map {
                        ["name": .string($0), "is_chosen": .bool($0 == state)]
                    }),
                "workflows": .array(found.map { WorkflowDocument.make($0) }),
            ]
        },
        template: """
            <form class="filter" method="get" action="{{base}}/workflows" role="search">
            <div><label for="state">State</label><select id="state" name="state"><option value="">all</option>
            {{#states}}<option{{#is_chosen}} selected{{/is_chosen}}>{{name}}</option>{{/states}}</select></div>
            <button>Show</button>
            </form>
            <div data-part="workflows"><div class="scroll"><table>
            <thead><tr><th>Workflow</th><th>Begins with</th><th>State</th><th>Progress</th><th>Sent</th><th class="number">Took</th></tr></thead>
            <tbody>
            {{#workflows}}<tr><td><a class="id" href="{{base}}/workflows/{{path(id)}}">{{short(id)}}</a></td><td>{{begins_with}}</td>
            <td>{{#state}}{{> state}}{{/state}}</td><td>{{#progress}}<progress max="{{total}}" value="{{done}}" aria-label="{{done}} of {{total}}"></progress> {{count(done)}} of {{count(total)}}\
            {{#positive(failed)}}, <span class="state failed">{{count(failed)}} failed</span>{{/positive(failed)}}{{/progress}}</td>
            <td>{{#sent}}{{> ago}}{{/sent}}</td><td class="number">{{span(took)}}</td></tr>
            {{/workflows}}
            {{^workflows}}<tr><td class="none" colspan="6">No workflow{{#state}} is {{.}}{{/state}}, among those that were sent last. One is known while it runs and for a day afterwards.</td></tr>{{/workflows}}
            </tbody></table></div>
            {{#more}}<nav class="pager"><a href="{{base}}/workflows?limit={{.}}&amp;state={{query(state)}}">Show more</a></nav>{{/more}}</div>
            """)

    /// One of them.
    static let workflow = Page(
        "/workflows/{id}", in: .workflows, title: "Workflow",
        summary: "One workflow: its state and progress, and its tasks within one another, with durations and errors.",
        parameters: [Parameter("all", "true shows every member of large groups")],
        load: { question in
            let id = question.name("id")
            guard let report = try await question.app.workflow(id).report() else {
                throw PageError(
                    .notFound,
                    "Nothing is known of a workflow \(id): it is over for more than a day, or Python has sent it. Its id is that of its "
                        + "first task or group.")
            }
            let showsAll = question.filter("all") == "true"
            guard case .object(var document) = WorkflowDocument.make(report, full: showsAll) else { return .null }
            document["title"] = .string("Workflow \(report.tasks.first?.task ?? id)")
            let rows = WorkflowRows(report, showsAll: showsAll).rows
            document["rows"] = .array(rows.map { WorkflowDocument.row($0.row, depth: $0.depth, now: question.now) })
            document["graph"] = WorkflowGraph(report).document
            document["workflow_id"] = .string(report.id)
            document["signals"] = .array(report.awaitedSignals.map(JSON.string))
            return .object(document)
        },
        template: """
            <div data-part="figures">
            <p><span class="id">{{id}}</span> {{#state}}{{> state}}{{/state}}</p>
            {{#progress}}<progress class="wide" max="{{total}}" value="{{done}}" aria-label="{{done}} of {{total}}"></progress>
            <ul class="cards"><li><b>{{count(done)}} of {{count(total)}}</b>over</li><li><b>{{count(running)}}</b>running</li>
            <li><b>{{count(waiting)}}</b>waiting</li><li{{#positive(failed)}} class="bad"{{/positive(failed)}}><b>{{count(failed)}}</b>failed</li>{{/progress}}
            <li><b>{{span(took)}}</b>{{#ended}}took{{/ended}}{{^ended}}so far{{/ended}}</li>
            <li><b>{{#sent}}{{> ago}}{{/sent}}</b>sent</li></ul>
            {{#can_change}}<div class="actions">
            {{#can_cancel}}<form method="post" action="{{base}}/workflows/{{path(id)}}/cancel"><button class="danger">Cancel</button></form>{{/can_cancel}}
            {{#can_retry}}<form method="post" action="{{base}}/workflows/{{path(id)}}/retry"><button class="main">Retry what failed</button></form>{{/can_retry}}
            </div>{{/can_change}}</div>
            <div data-part="signals">{{#can_change}}{{#signals}}<form class="filter" method="post" action="{{base}}/workflows/{{path(id)}}/signal">
            <input type="hidden" name="name" value="{{.}}"><div><label for="payload-{{.}}">Payload of the signal {{.}}, JSON</label><input id="payload-{{.}}" name="payload" placeholder="null"></div>
            <button>Send {{.}}</button></form>{{/signals}}{{/can_change}}</div>
            <div class="card scroll" data-part="graph">{{{graph(graph)}}}</div>
            <h2>Tasks</h2>
            <div class="scroll" data-part="tree"><table class="tree">
            <thead><tr><th>Task</th><th>State</th><th class="number">Took</th><th>Id</th></tr></thead>
            <tbody>
            {{#rows}}<tr><td class="d{{indent}}">{{#task}}{{.}}{{/task}}{{^task}}<span class="quiet">{{text}}</span>{{/task}}
            {{#error}}<br><span class="error">{{short(.)}}</span>{{/error}}</td>
            <td>{{#task_state}}{{> state}}{{/task_state}}</td><td class="number">{{#seconds}}{{span(.)}}{{/seconds}}</td>
            <td>{{#task_id}}{{> task}}{{/task_id}}{{#is_hidden}}<a href="{{base}}/workflows/{{path(workflow_id)}}?all=true">Show all</a>{{/is_hidden}}</td></tr>
            {{/rows}}
            </tbody></table></div>
            """)
}

/// A workflow as pages have it.
enum WorkflowDocument {
    static func make(_ report: WorkflowReport, full: Bool = false) -> JSON {
        var document = report.document(full: full)
        document["begins_with"] = report.tasks.first.map { .string($0.task) } ?? .null
        document["took"] = report.took.map { .number(max(0, ($0 * 1000).rounded() / 1000)) } ?? .null
        document["can_cancel"] = .bool(!report.state.isOver)
        document["can_retry"] = .bool(report.state == .failed)
        return document
    }

    /// A row of the tree.
    static func row(_ row: WorkflowRows.Row, depth: Int, now: Date) -> JSON {
        var document: JSON = ["depth": .integer(depth), "indent": .integer(min(depth, 8))]
        switch row {
        case .task(let task):
            document["task"] = .string(task.task)
            document["task_id"] = .string(task.id)
            document["task_state"] = .string(task.state.rawValue)
            document["seconds"] = task.seconds(now: now).map { .number(($0 * 1000).rounded() / 1000) } ?? .null
            document["error"] = task.error.map(JSON.string) ?? .null
        case .group(let id, let progress): document["text"] = .string("group \(id): \(progress)")
        case .sent(let parent): document["text"] = .string("sent by \(parent)")
        case .hidden(let progress):
            document["text"] = .string("and \(progress.total) more, \(progress)")
            document["is_hidden"] = true
        }
        return document
    }
}
