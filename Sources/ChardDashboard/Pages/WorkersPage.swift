// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension Page {
    /// Who runs tasks.
    static let workers = Page(
        "/workers", in: .workers, title: "Workers",
        summary: "The workers, Python's too, what they run, whom they lost, and the tasks that none of them knows.",
        parameters: [Parameter("name", "a part of the node's name, or a queue's"), .from, .limit],
        load: { question in
            let (from, limit) = try question.range()
            let facts = question.facts
            let entries = try await WorkerEntry.all(facts)
            let wanted = question.filter("name")?.lowercased()
            let found = entries.filter { entry in
                wanted.map { name in
                    entry.node.lowercased().contains(name) || entry.queues.contains { $0.lowercased() == name }
                } ?? true
            }
            let shown = found.dropFirst(from).prefix(limit)
            let look = try await facts.history.look()
            let hosts = Set(entries.map(\.host))
            let running = entries.flatMap(\.running)
            return [
                "name": .string(question.filter("name") ?? ""),
                "total": .integer(found.count), "hosts": .integer(hosts.count),
                "slots": .integer(entries.reduce(0) { $0 + ($1.concurrency ?? 0) }),
                "running": .integer(running.count),
                "can_be_told": .bool(facts.operator.remote.isCarried),
                "is_asking": .bool(await facts.isAskingWorkers),
                "workers": .array(shown.map { $0.document(now: question.now) }),
                "pager": Pager(from: from, limit: limit, count: shown.count, total: found.count)
                    .document(at: "/workers", question.filters.filter { $0.key == "name" }),
                "losses": .array(look.tally.losses.suffix(100).reversed().map(\.document)),
                "keeps_history": .bool(look.isKept),
                "unknown_tasks": UnknownTasks.document(try await facts.freshLetters()),
            ]
        },
        template: """
            <form class="filter" method="get" action="{{base}}/workers" role="search">
            <div><label for="name">Name contains, or queue is</label><input id="name" name="name" value="{{name}}"></div>
            <button>Show</button>
            </form>
            <div data-part="workers">
            <ul class="cards"><li><b>{{count(total)}}</b>workers</li><li><b>{{count(hosts)}}</b>hosts</li>
            <li><b>{{count(slots)}}</b>slots</li><li><b>{{count(running)}}</b>tasks run now</li></ul>
            {{#is_asking}}<p class="quiet">Asking Python's workers, too …</p>{{/is_asking}}
            {{^can_be_told}}<p class="quiet">This broker does not carry remote control: Python's workers are not known here, and no worker can be told anything.</p>{{/can_be_told}}
            <div class="scroll"><table class="rows">
            <thead><tr><th>Worker</th><th>Queues</th><th>Runs</th><th class="number">Done</th><th class="number">Failed</th><th class="number">Memory</th><th class="number">Up</th><th class="number">Seen</th></tr></thead>
            <tbody>
            {{#workers}}<tr><td><a href="{{base}}/workers/{{path(node)}}">{{node}}</a><br><span class="quiet">{{language}}{{#version}} {{.}}{{/version}}{{#pid}} · pid {{.}}{{/pid}}</span>
            {{#stalled}}<br><span class="state danger">its intake stands still for {{span(.)}}</span>{{/stalled}}</td>
            <td class="text">{{#queues}}{{> queue}} {{/queues}}{{^queues}}<span class="state paused">none</span>{{/queues}}</td>
            <td>{{count(running_count)}}{{#slots}} of {{count(.)}}{{/slots}}{{#running}}<br><a class="id" href="{{base}}/tasks/{{path(id)}}">{{short(task)}}</a> <span class="quiet">{{span(seconds)}}</span>{{/running}}</td>
            <td class="number">{{#done}}{{count(.)}}{{/done}}</td><td class="number">{{#failed}}{{count(.)}}{{/failed}}</td><td class="number">{{#memory}}{{bytes(.)}}{{/memory}}</td>
            <td class="number">{{#uptime}}{{coarse(.)}}{{/uptime}}</td><td class="number">{{#seen_at}}{{> ago}}{{/seen_at}}</td></tr>
            {{/workers}}
            {{^workers}}<tr><td class="none" colspan="8">No worker is alive{{#name}} with this name{{/name}}. Start one: <code>PROGRAM worker</code>.</td></tr>{{/workers}}
            </tbody></table>{{> pager}}</div></div>
            <h2>Tasks that a worker did not know, in the last hour</h2>
            <div class="scroll" data-part="unknown"><table>
            <thead><tr><th>Task</th><th class="number">Put aside</th><th>Queues</th><th>By</th></tr></thead>
            <tbody>
            {{#unknown_tasks}}<tr><td>{{task}}</td><td class="number">{{count(count)}}</td><td>{{#queues}}{{> queue}} {{/queues}}</td><td class="text">{{#workers}}{{.}} {{/workers}}</td></tr>
            {{/unknown_tasks}}
            {{^unknown_tasks}}<tr><td class="none" colspan="4">None.</td></tr>{{/unknown_tasks}}
            </tbody></table></div>
            <h2>Lost with their workers, in the last day</h2>
            <div class="scroll" data-part="losses"><table>
            <thead><tr><th>When</th><th>Worker</th><th>Task</th><th>Id</th><th>Queue</th><th>Sent</th></tr></thead>
            <tbody>
            {{#losses}}<tr><td>{{#ended_at}}{{> ago}}{{/ended_at}}</td><td>{{node}}</td><td>{{task}}</td><td>{{#id}}{{> task}}{{/id}}</td>
            <td>{{#queue}}{{> queue}}{{/queue}}</td><td>{{#sent_at}}{{> ago}}{{/sent_at}}</td></tr>
            {{/losses}}
            {{^losses}}<tr><td class="none" colspan="6">{{#keeps_history}}No worker was lost with tasks in its hands.{{/keeps_history}}{{^keeps_history}}This broker keeps no history.{{/keeps_history}}</td></tr>{{/losses}}
            </tbody></table></div>
            """)

    /// One of them.
    static let worker = Page(
        "/workers/{node}", in: .workers, title: "Worker",
        summary: "One worker: its processes, what they run and for how long, its queues, and what it lost.",
        load: { question in
            let (node, facts) = (question.name("node"), question.facts)
            let entries = try await WorkerEntry.all(facts).filter { $0.node == node }
            guard let first = entries.first else { throw PageError.missing("worker \(node) alive") }
            let look = try await facts.history.look()
            let losses = look.tally.losses.filter { $0.node == node }.suffix(100).reversed()
            return [
                "title": .string("Worker \(node)"), "node": .string(node), "host": .string(first.host),
                "language": .string(first.language), "version": first.version.map(JSON.string) ?? .null,
                "can_be_told": .bool(facts.operator.remote.isCarried),
                "can_be_quieted": .bool(!entries.allSatisfy(\.queues.isEmpty)),
                "is_quiet": .bool(entries.allSatisfy(\.queues.isEmpty)),
                "processes": .array(entries.map { $0.document(now: question.now, mostRunning: 500) }),
                "losses": .array(losses.map(\.document)),
            ]
        },
        template: """
            <div data-part="figures">
            <p class="quiet">{{language}}{{#version}} {{.}}{{/version}} on {{host}}</p>
            {{#is_quiet}}<p class="warning">It takes from no queue.</p>{{/is_quiet}}
            {{#processes}}<h2>Process {{#pid}}{{.}}{{/pid}}</h2>
            <ul class="cards"><li><b>{{count(running_count)}}{{#slots}} of {{count(.)}}{{/slots}}</b>run</li>
            {{#done}}<li><b>{{count(.)}}</b>done</li>{{/done}}{{#failed}}<li><b>{{count(.)}}</b>failed</li>{{/failed}}
            {{#memory}}<li><b>{{bytes(.)}}</b>memory at most</li>{{/memory}}{{#uptime}}<li><b>{{coarse(.)}}</b>up</li>{{/uptime}}
            {{#seen_at}}<li><b>{{> ago}}</b>last heartbeat</li>{{/seen_at}}</ul>
            <p>Queues: {{#queues}}{{> queue}} {{/queues}}{{^queues}}none{{/queues}}</p>
            <div class="scroll"><table>
            <thead><tr><th>Runs</th><th>Id</th><th class="number">For</th></tr></thead>
            <tbody>{{#running}}<tr><td>{{task}}</td><td>{{#id}}{{> task}}{{/id}}</td><td class="number">{{span(seconds)}}</td></tr>
            {{/running}}{{^running}}<tr><td class="none" colspan="3">Nothing runs.</td></tr>{{/running}}</tbody></table></div>
            {{/processes}}</div>
            {{#can_change}}{{#can_be_told}}<form class="filter" method="post" action="{{base}}/workers/{{path(node)}}/consume">
            <div><label for="queue">Another queue</label><input id="queue" name="queue" required></div><button>Serve it, too</button></form>
            <div class="actions">
            <form method="post" action="{{base}}/workers/{{path(node)}}/slots"><input type="hidden" name="by" value="1"><button>One slot more</button></form>
            <form method="post" action="{{base}}/workers/{{path(node)}}/slots"><input type="hidden" name="by" value="-1"><button>One slot less</button></form>
            {{#can_be_quieted}}<form method="post" action="{{base}}/workers/{{path(node)}}/quiet"><button>Quiet: take nothing more</button></form>{{/can_be_quieted}}
            <form method="post" action="{{base}}/workers/{{path(node)}}/stop"><button class="danger">Stop</button></form>
            <span class="quiet">Stop lets what runs end; of several processes under a supervisor, new ones take their place.</span>
            </div>{{/can_be_told}}{{/can_change}}
            <h2>Lost with it, in the last day</h2>
            <div class="scroll" data-part="losses"><table>
            <thead><tr><th>When</th><th>Task</th><th>Id</th><th>Queue</th><th>Sent</th></tr></thead>
            <tbody>{{#losses}}<tr><td>{{#ended_at}}{{> ago}}{{/ended_at}}</td><td>{{task}}</td><td>{{#id}}{{> task}}{{/id}}</td>
            <td>{{#queue}}{{> queue}}{{/queue}}</td><td>{{#sent_at}}{{> ago}}{{/sent_at}}</td></tr>
            {{/losses}}{{^losses}}<tr><td class="none" colspan="5">Nothing.</td></tr>{{/losses}}</tbody></table></div>
            """)
}
