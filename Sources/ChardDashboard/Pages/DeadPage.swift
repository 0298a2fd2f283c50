// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

extension Page {
    /// The dead letters, by what killed them.
    static let dead = Page(
        "/dead", in: .dead, title: "Dead",
        summary: "Messages that could not be run, grouped by task and error; and what was put aside.",
        parameters: DeadList.parameters + [.from, .limit],
        load: { question in
            let (from, limit) = try question.range()
            let list = try await DeadList.find(question, question.filter)
            let names = Set(DeadList.parameters.map(\.name))
            let filters = question.filters.filter { names.contains($0.key) && !$0.value.isEmpty }
            let shown = list.letters.dropFirst(from).prefix(limit)
            let aside = try await question.operator.aside.list()
            return [
                "filter": .object(filters.mapValues(JSON.string)), "total": .integer(list.letters.count),
                "groups": .array(list.groups.prefix(200).map(\.document)),
                "letters": .array(
                    shown.map { summary in
                        var letter = TaskRow(summary.letter).document
                        letter["reason"] = .string(summary.letter.reason.rawValue)
                        letter["error"] = .string(summary.letter.error)
                        letter["size"] = .integer(summary.size)
                        return letter
                    }),
                "note": list.note.map(JSON.string) ?? .null,
                "all_query": .string(Page.query(["of": "dead"].merging(filters) { $1 })),
                "is_filtered": .bool(!filters.isEmpty),
                "has_aside": .bool(!aside.isEmpty),
                "aside": .array(aside.prefix(200).map(AsideDocument.make)),
                "pager": Pager(from: from, limit: limit, count: shown.count, total: list.letters.count)
                    .document(at: "/dead", filters),
            ]
        },
        template: """
            <form class="filter" method="get" action="{{base}}/dead" role="search">
            <div><label for="queue">Queue</label><input id="queue" name="queue" value="{{filter.queue}}"></div>
            <div><label for="task">Task</label><input id="task" name="task" value="{{filter.task}}"></div>
            <div><label for="reason">Reason</label><input id="reason" name="reason" value="{{filter.reason}}"></div>
            <div><label for="error">Error contains</label><input id="error" name="error" value="{{filter.error}}"></div>
            {{#filter.like}}<input type="hidden" name="like" value="{{{exact(.)}}}">{{/filter.like}}
            <button>Show</button> {{#is_filtered}}<a href="{{base}}/dead">all</a>{{/is_filtered}}
            </form>
            {{#filter.like}}<p class="quiet">Only errors like: <code>{{.}}</code></p>{{/filter.like}}
            <div data-part="groups">
            {{#note}}<p class="quiet">{{.}}</p>{{/note}}
            <div class="scroll"><table>
            <thead><tr><th class="number">Letters</th><th>Task</th><th>Reason</th><th>Error</th><th>Newest</th><th>Oldest</th>{{#can_change}}<th></th>{{/can_change}}</tr></thead>
            <tbody>
            {{#groups}}<tr><td class="number"><a href="{{base}}/dead?{{address_query}}">{{count(count)}}</a></td><td>{{task}}</td>
            <td>{{reason}}</td><td class="text">{{error}}</td><td>{{#newest_at}}{{> ago}}{{/newest_at}}</td><td>{{#oldest_at}}{{> ago}}{{/oldest_at}}</td>
            {{#can_change}}<td><a class="button" href="{{base}}/dry-run?of=dead&amp;act=requeue&amp;{{address_query}}">requeue …</a>
            <a class="button" href="{{base}}/dry-run?of=dead&amp;act=drop&amp;{{address_query}}">drop …</a></td>{{/can_change}}</tr>
            {{/groups}}
            {{^groups}}<tr><td class="none" colspan="7">No message is dead.</td></tr>{{/groups}}
            </tbody></table></div>
            </div>
            <h2>Letters, the newest first</h2>
            <form method="post" action="{{base}}/batches">
            <input type="hidden" name="of" value="dead">
            <div data-part="letters">
            <div class="scroll"><table>
            <thead><tr>{{#can_change}}<th><input type="checkbox" data-all="id" aria-label="All of this page"></th>{{/can_change}}
            <th>Letter</th><th>Task</th><th>Queue</th><th>Died</th><th>Reason</th><th>Error</th><th class="number">Size</th></tr></thead>
            <tbody>
            {{#letters}}<tr>{{#can_change}}<td>{{#id}}<input type="checkbox" name="id" value="{{{exact(.)}}}" aria-label="{{.}}">{{/id}}</td>{{/can_change}}
            <td>{{#id}}<a class="id" href="{{base}}/dead/{{path(.)}}">{{.}}</a>{{/id}}</td><td>{{task}}</td><td>{{#queue}}{{> queue}}{{/queue}}</td>
            <td>{{#at}}{{> ago}}{{/at}}</td><td>{{reason}}</td><td class="text">{{short(error)}}</td><td class="number">{{bytes(size)}}</td></tr>
            {{/letters}}
            {{^letters}}<tr><td class="none" colspan="8">None.</td></tr>{{/letters}}
            </tbody></table>{{> pager}}</div>
            </div>
            {{#can_change}}<div class="actions"><span class="quiet">The chosen ones:</span>
            <button name="act" value="requeue">requeue</button><button class="danger" name="act" value="drop">drop</button>
            <span class="quiet">{{#is_filtered}}All that match:{{/is_filtered}}{{^is_filtered}}All:{{/is_filtered}}</span>
            <a class="button" href="{{base}}/dry-run?{{all_query}}&amp;act=requeue">requeue …</a>
            <a class="button" href="{{base}}/dry-run?{{all_query}}&amp;act=drop">drop …</a></div>{{/can_change}}
            </form>
            <div data-part="aside">
            {{#has_aside}}<h2>Put aside</h2>
            <p class="quiet">It stood where something else should, and held up tasks.</p>
            <div class="scroll"><table><thead><tr><th>Where</th><th>What it is</th><th>Expected</th><th>Said</th><th>When</th>{{#can_change}}<th></th>{{/can_change}}</tr></thead><tbody>
            {{#aside}}<tr><td class="text">{{place}}</td><td>{{kind}}</td><td>{{expected}}</td><td class="text">{{reason}}</td><td>{{#at}}{{> ago}}{{/at}}</td>
            {{#can_change}}<td><form class="inline" method="post" action="{{base}}/aside/{{path(name)}}/restore"><button>Restore</button></form>
            <form class="inline" method="post" action="{{base}}/aside/{{path(name)}}/drop"><button class="danger">Drop</button></form></td>{{/can_change}}</tr>
            {{/aside}}
            </tbody></table></div>{{/has_aside}}
            </div>
            """)

    /// One dead letter.
    static let letter = Page(
        "/dead/{letter}", in: .dead, title: "Dead letter",
        summary: "One dead letter: its story, what the decoder says of its message and where, and the message raw.",
        load: { question in
            let id = question.name("letter")
            guard let letter = try await question.operator.deadLetters.find(id) else {
                throw PageError(
                    .notFound,
                    "There is no dead letter \(id): it was requeued or dropped, by somebody else or just now, or never was there."
                )
            }
            let message = try? TaskMessage(decoding: letter.payload, limits: .held)
            let shown = ShownMessage(message, payload: letter.payload, question.facts).members
            var document: JSON = [
                "title": .string("Dead: \(letter.task ?? letter.id)"), "id": .string(letter.id),
                "task_id": letter.taskID.map(JSON.string) ?? .null, "task": letter.task.map(JSON.string) ?? .null,
                "queue": .string(letter.queue), "reason": .string(letter.reason.rawValue),
                "error": .string(letter.error), "attempts": .integer(letter.attempts),
                "worker": .string(letter.worker), "died_at": .string(Timestamp.text(for: letter.diedAt)),
                "size": .integer(letter.payload.count),
            ]
            // The place shows a part of the message.
            let isShown = !(shown["message"]?.isNull ?? true)
            var decoder = LetterPlace.document(letter.payload, question.app.settings.limits)
            if !isShown { decoder["place"] = .null }
            document["decoder"] = decoder
            for (name, value) in shown where name != "edit" { document[name] = value }
            return document
        },
        template: """
            <div data-part="letter">
            <p class="alarm">{{reason}}: {{error}}</p>
            <dl><dt>Letter</dt><dd><code>{{id}}</code></dd>
            {{#task_id}}<dt>Id</dt><dd>{{> task}}</dd>{{/task_id}}
            {{#task}}<dt>Task</dt><dd>{{.}}</dd>{{/task}}
            <dt>Queue</dt><dd>{{#queue}}{{> queue}}{{/queue}}</dd><dt>Died</dt><dd>{{#died_at}}{{> ago}}{{/died_at}}, put aside by {{worker}}</dd>
            <dt>Attempts</dt><dd>{{attempts}}</dd></dl>
            {{#can_change}}<div class="actions">
            <form method="post" action="{{base}}/dead/{{path(id)}}/requeue"><button class="main">Requeue</button></form>
            <form method="post" action="{{base}}/dead/{{path(id)}}/drop"><button class="danger">Drop</button></form>
            </div>{{/can_change}}
            </div>
            <div data-part="message">
            <h2>What the decoder says</h2>
            {{#decoder.sentence}}<p class="warning" id="decoder">{{.}}</p>{{/decoder.sentence}}
            {{^decoder.sentence}}<p class="quiet" id="decoder">It can be read: what it died of lies with its task.</p>{{/decoder.sentence}}
            {{#decoder.place}}<p>In {{part}}, at byte {{offset}}, expected {{expected}}:</p>
            <pre id="place">{{before}}<mark>{{there}}</mark>{{after}}</pre>{{/decoder.place}}
            {{#hidden}}<p class="quiet">{{.}}</p>{{/hidden}}
            {{#message}}<details id="raw" open><summary>The message, {{bytes(size)}}{{#is_cut}}, its first part{{/is_cut}}</summary><pre>{{text}}</pre></details>{{/message}}
            {{#body}}<details id="body"><summary>Its body, decoded</summary><pre>{{text}}</pre></details>{{/body}}
            </div>
            """)
}

/// Something that was put aside, as pages have it.
enum AsideDocument {
    static func make(_ item: AsideItem) -> JSON {
        [
            "name": .string(item.name), "place": .string(item.place), "key": .string(item.key),
            "kind": item.kind.map(JSON.string) ?? .null, "expected": .string(item.expected),
            "size": item.size.map(JSON.integer) ?? .null, "reason": .string(item.reason),
            "worker": .string(item.worker), "at": .string(Timestamp.text(for: item.at)),
        ]
    }
}
