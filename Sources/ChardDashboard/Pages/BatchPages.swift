// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes

extension Page {
    /// What a batch would be about.
    static let dryRun = Page(
        "/dry-run", in: .tasks, title: "Dry run",
        summary: "What would be done to all that a filter finds: how many, the oldest, ten samples.",
        parameters: [
            Parameter("of", "what: \(Selection.Kind.allCases.map(\.rawValue).joined(separator: ", "))"),
            Parameter("act", "what would be done, such as retry"),
        ] + Selection.parameters,
        isLive: false,
        load: { question in
            let (kind, act) = try Selection.kind(question.filter("of"), doing: question.filter("act"))
            let selection = try await Selection.find(kind, question, question.filter)
            let oldest = selection.rows.min { ($0.at ?? .distantFuture) < ($1.at ?? .distantFuture) }
            var fields = question.filters
            fields["all"] = "true"
            return [
                "title": .string("\(act.capitalized) all that match?"), "of": .string(kind.rawValue),
                "act": .string(act), "count": .integer(selection.rows.count),
                "note": selection.note.map(JSON.string) ?? .null,
                "oldest": oldest?.document ?? .null,
                "samples": .array(selection.rows.prefix(10).map(\.document)),
                "moves": .bool(act == "move"),
                "fields": .array(
                    fields.sorted { $0.key < $1.key }.map { ["name": .string($0.key), "value": .string($0.value)] }),
                "back": .string("/\(kind.rawValue)?\(query(fields.filter { !["of", "act", "all"].contains($0.key) }))"),
            ]
        },
        template: """
            <p><b>{{count(count)}}</b> match. Nothing has been done yet.</p>
            {{#note}}<p class="warning">{{.}} The others stay as they are.</p>{{/note}}
            {{#oldest}}<p>The oldest: {{#id}}{{> task}}{{/id}} {{task}}{{#at}}, {{> ago}}{{/at}}</p>{{/oldest}}
            <h2>Samples</h2>
            <div class="scroll"><table>
            <thead><tr><th>State</th><th>Task</th><th>Id</th><th>Queue</th><th>When</th><th>Error</th></tr></thead>
            <tbody>
            {{#samples}}<tr><td>{{#state}}{{> state}}{{/state}}</td><td>{{task}}</td><td>{{#id}}{{> task}}{{/id}}</td>
            <td>{{#queue}}{{> queue}}{{/queue}}</td><td>{{#at}}{{> ago}}{{/at}}</td><td class="text">{{short(error)}}</td></tr>
            {{/samples}}
            {{^samples}}<tr><td class="none" colspan="6">Nothing matches any more.</td></tr>{{/samples}}
            </tbody></table></div>
            {{#can_change}}<form method="post" action="{{base}}/batches">
            {{#fields}}<input type="hidden" name="{{{exact(name)}}}" value="{{{exact(value)}}}">{{/fields}}
            {{#moves}}<p><label for="to">To</label><input id="to" name="to" required placeholder="+1h"></p>{{/moves}}
            <div class="actions"><button class="danger">{{act}} {{count(count)}}</button>
            <a class="button" href="{{base}}{{back}}">Leave them</a></div>
            </form>{{/can_change}}
            """)

    /// How far a batch is.
    static let batch = Page(
        "/batches/{batch}", in: .tasks, title: "Batch",
        summary: "How far a batch is: how many were changed, how many were not, and why.",
        load: { question in
            let name = question.name("batch")
            guard let batch = await question.facts.batches[name] else {
                throw PageError(
                    .notFound,
                    "There is no batch \(name) in this process: it is long over, or the dashboard was started anew since, which ends its "
                        + "batches. What it had done is done; the list that it was begun from shows what is left.")
            }
            return BatchDocument.make(await batch.progress)
        },
        template: """
            <div data-part="progress">
            <p>{{#state}}{{> state}}{{/state}} {{count(done)}} of {{count(total)}}</p>
            <meter min="0" max="{{total}}" value="{{done}}">{{count(done)}} of {{count(total)}}</meter>
            {{#trouble}}<p class="alarm">It ended before it was through: {{.}}</p>{{/trouble}}
            <ul class="cards"><li><b>{{count(changed)}}</b>changed</li><li><b>{{count(refused)}}</b>not changed</li>
            <li><b>{{count(left)}}</b>left</li></ul>
            <p class="quiet">Begun {{#started_at}}{{> ago}}{{/started_at}}{{#ended_at}}, ended {{> ago}}{{/ended_at}}{{#user}}, by {{.}}{{/user}}. It ends with the dashboard's process.</p>
            {{#is_running}}{{#can_change}}<form method="post" action="{{base}}/batches/{{path(id)}}/cancel"><button class="danger">Stop</button></form>{{/can_change}}{{/is_running}}
            <h2>Why not</h2>
            <div class="scroll"><table><thead><tr><th class="number">How many</th><th>Why</th><th>The first</th></tr></thead><tbody>
            {{#reasons}}<tr><td class="number">{{count(count)}}</td><td class="text">{{text}}</td><td>{{#first}}{{> task}}{{/first}}</td></tr>
            {{/reasons}}
            {{^reasons}}<tr><td class="none" colspan="3">Nothing was refused.</td></tr>{{/reasons}}
            </tbody></table></div>
            </div>
            """)
}

/// A batch as pages have it.
enum BatchDocument {
    static func make(_ progress: BatchProgress) -> JSON {
        [
            "title": .string("\(progress.deed.capitalized) \(Wording.count(Double(progress.total)))"),
            "id": .string(progress.id), "deed": .string(progress.deed), "state": .string(progress.state.rawValue),
            "is_running": .bool(progress.state == .running), "total": .integer(progress.total),
            "done": .integer(progress.done), "changed": .integer(progress.changed),
            "refused": .integer(progress.refused), "left": .integer(progress.total - progress.done),
            "reasons": .array(
                progress.reasons.map {
                    ["text": .string($0.text), "first": .string($0.id), "count": .integer($0.count)]
                }),
            "trouble": progress.trouble.map(JSON.string) ?? .null, "user": .string(progress.user),
            "started_at": MessageDocument.time(progress.startedAt), "ended_at": MessageDocument.time(progress.endedAt),
        ]
    }
}
