// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension Page {
    /// What is called again and again.
    static let schedules = Page(
        "/schedules", in: .schedules, title: "Schedules",
        summary: "The periodic tasks: when, what, last and next times, what is late, and whether a beat calls them.",
        parameters: [Parameter("name", "a part of the schedule's or its task's name"), .from, .limit],
        load: { question in
            let (from, limit) = try question.range()
            let facts = question.facts
            let (records, beats, now) = try await facts.schedules.value()
            let wanted = question.filter("name")?.lowercased()
            let found = records.filter { record in
                wanted.map { name in
                    record.name.lowercased().contains(name)
                        || record.schedule?.call.task.lowercased().contains(name) ?? false
                } ?? true
            }
            let shown = found.dropFirst(from).prefix(limit)
            let isIdle = beats == 0 && records.contains(where: \.isActive)
            return [
                "name": .string(question.filter("name") ?? ""), "total": .integer(found.count),
                "beats": beats.map(JSON.integer) ?? .null, "is_idle": .bool(isIdle),
                "schedules": .array(
                    try shown.map {
                        try ScheduleDocument.make($0, now: now, showsArguments: facts.showsArguments)
                    }),
                "pager": Pager(from: from, limit: limit, count: shown.count, total: found.count)
                    .document(at: "/schedules", question.filters.filter { $0.key == "name" }),
            ]
        },
        template: """
            <form class="filter" method="get" action="{{base}}/schedules" role="search">
            <div><label for="find">Name or task contains</label><input id="find" name="name" value="{{name}}"></div>
            <button>Show</button>
            </form>
            <div data-part="schedules">
            {{#is_idle}}<p class="alarm">No beat is running, so that no task is called. Start <code>PROGRAM beat</code>, or a worker with <code>--beat</code>.</p>{{/is_idle}}
            {{#beats}}{{#positive(.)}}<p class="quiet">Beats that run: {{count(.)}}</p>{{/positive(.)}}{{/beats}}
            <div class="scroll"><table class="rows">
            <thead><tr><th>Schedule</th><th>When</th><th>Calls</th><th>State</th><th>Last</th><th>Next</th><th class="number">Sent</th><th></th></tr></thead>
            <tbody>
            {{#schedules}}<tr><td><a href="{{base}}/schedules/{{path(name)}}">{{name}}</a></td><td>{{description}}{{^description}}–{{/description}}</td><td class="text"><code>{{calls}}</code></td>
            <td>{{#state}}{{> state}}{{/state}}{{#overdue_since}}<br><span class="state late">late since {{> ago}}</span>{{/overdue_since}}{{#positive(dropped)}}<br><span class="quiet">{{count(dropped)}} missed</span>{{/positive(dropped)}}</td>
            <td>{{#last}}{{> ago}}{{/last}}</td><td>{{#next_at}}{{> until}}{{/next_at}}</td><td class="number">{{count(sent)}}</td>
            <td>{{#can_change}}{{#active}}<form class="inline" method="post" action="{{base}}/schedules/{{path(name)}}/pause"><button>Pause</button></form>{{/active}}
            {{#paused}}<form class="inline" method="post" action="{{base}}/schedules/{{path(name)}}/resume"><button class="main">Resume</button></form>{{/paused}}{{/can_change}}</td></tr>
            {{/schedules}}
            {{^schedules}}<tr><td class="none" colspan="8">There is no schedule{{#name}} with this name{{/name}}.</td></tr>{{/schedules}}
            </tbody></table>{{> pager}}</div></div>
            {{#can_change}}<h2>Add a schedule</h2>
            <form class="card sheet" method="post" action="{{base}}/schedules">
            <div><label for="name">Name</label><input id="name" name="name" required></div>
            {{> scheduleFields}}
            <div class="actions"><button class="main">Add</button></div></form>{{/can_change}}
            """)

    /// One of them.
    static let schedule = Page(
        "/schedules/{name}", in: .schedules, title: "Schedule",
        summary: "One schedule: when, what it calls, its last and next times, and what was missed.",
        load: { question in
            let (name, facts) = (question.name("name"), question.facts)
            let (records, beats, now) = try await facts.schedules.value()
            guard let record = records.first(where: { $0.name == name }) else {
                throw PageError.missing("schedule \(name)")
            }
            var document = try ScheduleDocument.make(record, now: now, showsArguments: facts.showsArguments)
            document["title"] = .string("Schedule \(name)")
            document["is_idle"] = .bool(beats == 0 && record.isActive)
            document["is_of_code"] = .bool(record.code != nil)
            document["is_changed"] = .bool(record.origin == .changed)
            document["ticks"] = .array(
                try await question.operator.schedules.ticks(of: name).map { ScheduleDocument.tick($0) })
            return document
        },
        template: """
            <div data-part="figures">
            {{#is_idle}}<p class="alarm">No beat is running, so that nothing calls it. Start <code>PROGRAM beat</code>, or a worker with <code>--beat</code>.</p>{{/is_idle}}
            {{#overdue_since}}<p class="warning">It is late: its time was {{> ago}}.</p>{{/overdue_since}}
            {{#unreadable}}<p class="alarm">This version of Chard cannot read it: {{.}}</p>{{/unreadable}}
            <dl><dt>When</dt><dd>{{description}}{{^description}}–{{/description}}</dd><dt>Calls</dt><dd><code>{{calls}}</code></dd><dt>State</dt><dd>{{#state}}{{> state}}{{/state}}</dd>
            <dt>From</dt><dd>{{origin_words}}</dd>
            <dt>Last</dt><dd>{{#last}}{{> ago}}{{/last}}{{^last}}never{{/last}}{{#last_task_id}}, as {{> task}}{{/last_task_id}}</dd>
            <dt>Sent, missed</dt><dd>{{count(sent)}}, {{count(dropped)}}</dd>
            <dt>Next</dt><dd>{{#next}}{{time(.)}} <span class="quiet">{{> until}}</span><br>{{/next}}{{^next}}never{{/next}}</dd></dl>
            {{#can_change}}<div class="actions">
            {{#active}}<form method="post" action="{{base}}/schedules/{{path(name)}}/pause"><button>Pause</button></form>{{/active}}
            {{#paused}}<form method="post" action="{{base}}/schedules/{{path(name)}}/resume"><button class="main">Resume</button></form>{{/paused}}
            <form method="post" action="{{base}}/schedules/{{path(name)}}/run"><button>Run now</button></form>
            {{#is_changed}}<form method="post" action="{{base}}/schedules/{{path(name)}}/reset"><button>Make it what the code says</button></form>{{/is_changed}}
            {{^removed}}<form method="post" action="{{base}}/schedules/{{path(name)}}/remove"><button class="danger">Remove</button></form>{{/removed}}
            </div>{{/can_change}}</div>
            <h2>Last times</h2>
            <div class="scroll" data-part="ticks"><table>
            <thead><tr><th>Time</th><th>Task</th><th>State</th><th class="number">Began after</th><th class="number">Took</th></tr></thead>
            <tbody>
            {{#ticks}}<tr><td>{{time(time)}}</td><td>{{#is_known}}{{#task_id}}{{> task}}{{/task_id}}{{/is_known}}</td>
            <td>{{#state}}{{> state}}{{/state}}{{^is_known}}<span class="quiet">missed, or forgotten</span>{{/is_known}}{{#error}}<br><span class="error">{{short(.)}}</span>{{/error}}</td>
            <td class="number">{{span(late)}}</td><td class="number">{{span(took)}}</td></tr>
            {{/ticks}}
            {{^ticks}}<tr><td class="none" colspan="5">None is over yet.</td></tr>{{/ticks}}
            </tbody></table></div>
            {{#can_change}}<h2>Change it</h2>
            {{#is_of_code}}<p class="quiet">It is from a program's code. What is changed here holds, also when that program starts again, until it is made what the code says.</p>{{/is_of_code}}
            <form class="card sheet" method="post" action="{{base}}/schedules"><input type="hidden" name="name" value="{{name}}">
            {{> scheduleFields}}
            <div class="actions"><button class="main">Change</button></div></form>{{/can_change}}
            """)
}

/// A schedule as pages have it.
enum ScheduleDocument {
    static func make(_ record: ScheduleRecord, now: Date, showsArguments: Bool) throws -> JSON {
        var document = try record.document(at: now)
        document["state"] = .string(record.stateWord)
        document["origin_words"] = .string(record.originWords)
        document["next_at"] = document["next"]?.array?.first ?? .null
        let schedule = record.schedule
        document["calls"] =
            schedule.map { .string(showsArguments ? $0.callWords : "\($0.call.task)(…)") } ?? .null
        if showsArguments, let arguments = schedule?.call.arguments {
            document["args_text"] = field(.array(arguments.positional))
            document["kwargs_text"] = field(.object(arguments.keywords))
        } else {
            document["args"] = "hidden"
            document["kwargs"] = "hidden"
        }
        return document
    }

    static func tick(_ tick: ScheduleTick) -> JSON {
        func seconds(_ seconds: Double?) -> JSON { seconds.map { .number(($0 * 1000).rounded() / 1000) } ?? .null }
        return [
            "time": .string(Timestamp.text(for: tick.time)), "task_id": .string(tick.taskID),
            "is_known": .bool(tick.isKnown),
            "state": (tick.state?.rawValue ?? tick.attempt?.end.rawValue).map(JSON.string) ?? .null,
            "late": seconds(tick.lateness),
            "took": seconds(
                tick.attempt.flatMap { attempt in attempt.startedAt.map { attempt.endedAt.timeIntervalSince($0) } }),
            "error": tick.attempt?.error.map(JSON.string) ?? .null,
        ]
    }

    /// A value as the text of a field; null where the page would show it otherwise than it is, so that nobody sends that back.
    private static func field(_ value: JSON) -> JSON {
        let text = String(decoding: value.encoded(), as: UTF8.self)
        return SafeText.clean(text) == text ? .string(text) : .null
    }
}
