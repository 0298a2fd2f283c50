// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Page {
    /// What goes on, at a glance.
    static let overview = Page(
        "/", in: .overview, title: "Overview",
        summary: "Alarms, how many tasks are in which state, the last hour and day, and how long tasks wait and run.",
        load: { question in
            let facts = question.facts
            let queues = try await facts.queues.value()
            let (workers, python) = (try await facts.workers.value(), try await facts.pythonWorkers())
            let look = try await facts.history.look()
            let (hour, day) = (look.tally.hour(until: question.now), look.tally.day(until: question.now))
            func state(_ name: String, _ count: Int, _ path: String) -> JSON {
                ["name": .string(name), "count": .integer(count), "path": .string(path)]
            }
            func sum(_ part: KeyPath<QueueReport, Int>) -> Int { queues.reduce(0) { $0 + $1[keyPath: part] } }
            var document: JSON = [
                "alarms": .array(try await facts.alarms().map(AlarmDocument.make)),
                "states": [
                    state("waiting", sum(\.waiting), "/queues"), state("delayed", sum(\.delayed), "/delayed"),
                    state("with workers", sum(\.leased), "/workers"), state("dead", sum(\.dead), "/dead"),
                ],
                "workers": [
                    "swift": .integer(workers.count), "python": .integer(python.count),
                    "total": .integer(workers.count + python.count),
                    "slots": .integer(workers.reduce(0) { $0 + $1.concurrency }),
                ],
                "history": [
                    "is_kept": .bool(look.isKept), "is_read": .bool(look.isRead), "read": .integer(look.tally.told),
                ],
                "broker": BrokerDocument.health(await facts.findings.value(), at: try facts.app.broker.location),
            ]
            guard look.isKept else { return document }
            document["has_history"] = true
            document["hour"] = TallyDocument.slots(hour)
            document["day"] = TallyDocument.slots(day)
            document["tasks"] = TallyDocument.figures(look.tally.byTask)
            document["queues"] = TallyDocument.figures(look.tally.byQueue)
            return document
        },
        template: """
            <div data-part="alarms">
            {{#alarms}}<p class="{{#is_danger}}alarm{{/is_danger}}{{^is_danger}}warning{{/is_danger}}"><a href="{{base}}{{path}}">{{text}}</a></p>
            {{/alarms}}
            {{^alarms}}<p class="fine">Nothing is wrong that could be seen from here.</p>{{/alarms}}
            </div>
            <div data-part="states">
            <ul class="cards">
            {{#states}}<li><a href="{{base}}{{path}}"><b>{{count(count)}}</b>{{name}}</a></li>
            {{/states}}
            {{#workers}}<li><a href="{{base}}/workers"><b>{{count(total)}}</b>workers{{#positive(python)}}, {{count(python)}} of them Python's{{/positive(python)}}</a></li>{{/workers}}
            {{#hour}}<li><a href="{{base}}/tasks?since=1h"><b>{{count(over)}}</b>over in the last hour</a></li>
            <li{{#positive(failed)}} class="bad"{{/positive(failed)}}><a href="{{base}}/tasks?state=failed&amp;since=1h"><b>{{count(failed)}}</b>failed in the last hour</a></li>{{/hour}}
            </ul>
            {{#history}}{{^is_kept}}<p class="quiet">This broker keeps no history of tasks, so that there is nothing to say of what is over. \
            It keeps one where <code>CHARD_HISTORY</code> is more than 0.</p>{{/is_kept}}
            {{^is_read}}<p class="warning">Reading the history: {{count(read)}} attempts so far. The figures below grow meanwhile.</p>{{/is_read}}{{/history}}
            </div>
            <div class="pair">{{#hour}}<div class="card" data-part="hour"><h2>The last hour, by the minute</h2>
            <p class="legend"><span class="key good"></span>{{count(succeeded)}} succeeded <span class="key bad"></span>{{count(failed)}} failed, {{count(lost)}} lost
            <span class="quiet">· {{count(retried)}} retried, {{count(revoked)}} revoked</span></p>
            {{{bars(bars)}}}<div class="axis"><span>1 h ago</span><span>30 min ago</span><span>now</span></div></div>{{/hour}}
            {{#day}}<div class="card" data-part="day"><h2>The last day, by the quarter of an hour</h2>
            <p class="legend"><span class="key good"></span>{{count(succeeded)}} succeeded <span class="key bad"></span>{{count(failed)}} failed, {{count(lost)}} lost
            <span class="quiet">· {{count(retried)}} retried, {{count(revoked)}} revoked</span></p>
            {{{bars(bars)}}}<div class="axis"><span>24 h ago</span><span>12 h ago</span><span>now</span></div></div>{{/day}}</div>
            {{#has_history}}<h2>Tasks of the last day</h2>
            <div class="scroll" data-part="tasks"><table>
            <thead><tr><th rowspan="2">Task</th><th rowspan="2" class="number">Over</th><th rowspan="2" class="number">Failed</th>
            <th colspan="3" class="group">ran for</th><th colspan="3" class="group">waited before</th></tr>
            <tr><th class="number">p50</th><th class="number">p95</th><th class="number">p99</th><th class="number">p50</th><th class="number">p95</th><th class="number">p99</th></tr></thead>
            <tbody>
            {{#tasks}}<tr><td><a href="{{base}}/tasks?task={{query(name)}}">{{name}}</a></td>{{> figures}}</tr>
            {{/tasks}}
            {{^tasks}}<tr><td class="none" colspan="9">Nothing has run in the last day.</td></tr>{{/tasks}}
            </tbody></table></div>
            <h2>Queues of the last day</h2>
            <div class="scroll" data-part="queues"><table>
            <thead><tr><th rowspan="2">Queue</th><th rowspan="2" class="number">Over</th><th rowspan="2" class="number">Failed</th>
            <th colspan="3" class="group">ran for</th><th colspan="3" class="group">waited before</th></tr>
            <tr><th class="number">p50</th><th class="number">p95</th><th class="number">p99</th><th class="number">p50</th><th class="number">p95</th><th class="number">p99</th></tr></thead>
            <tbody>
            {{#queues}}<tr><td>{{#name}}{{> queue}}{{/name}}</td>{{> figures}}</tr>
            {{/queues}}
            {{^queues}}<tr><td class="none" colspan="9">Nothing has run in the last day.</td></tr>{{/queues}}
            </tbody></table></div>{{/has_history}}
            <h2>Broker</h2>
            <div data-part="broker">{{#broker}}<p>{{#severity}}{{> state}} {{/severity}}{{text}} <a href="{{base}}/broker">More</a></p>{{/broker}}</div>
            """)
}
