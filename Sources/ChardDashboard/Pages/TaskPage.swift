// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

extension Page {
    /// One task: where it is, what happened to it, and why it is not running.
    static let task = Page(
        "/tasks/{task}", in: .tasks, title: "Task",
        summary: "One task: its state, why it is not running, its attempts, arguments, result, message and relatives.",
        load: { question in
            let id = question.name("task")
            let operation = question.operator
            guard let record = try await operation.find(id, depth: TaskDocument.depth) else {
                let why = try await operation.why(id, depth: 1)
                throw PageError(
                    .notFound,
                    "There is no task \(id): \(why.text). It may also have been deleted just now, wait behind the first "
                        + "\(Wording.count(Double(TaskDocument.depth))) messages of its queue, or be with a Python worker."
                )
            }
            async let why = operation.why(record)
            let root = record.rootID ?? id
            // A broker without records knows no workflows.
            let isWorkflow = try await question.app.isWorkflow(root)
            return TaskDocument.make(record, try await why, isWorkflow: isWorkflow, question.facts)
        },
        template: """
            <div data-part="state">
            <p>{{#state}}{{> state}}{{/state}} <code>{{id}}</code></p>
            <p class="card"><b>Why {{#can.cancel}}is it not over{{/can.cancel}}{{^can.cancel}}is it where it is{{/can.cancel}}?</b> <span id="why">{{why.text}}.</span>
            {{#why.advice}}<br><span class="quiet">What helps: {{.}}</span>{{/why.advice}}</p>
            {{#searched}}<p class="quiet">It was looked for among the next {{count(.)}} messages of each queue.</p>{{/searched}}
            <dl>
            <dt>Task</dt><dd>{{#task}}<a href="{{base}}/tasks?task={{query(.)}}">{{.}}</a>{{/task}}{{^task}}unknown{{/task}}</dd>
            {{#queue}}<dt>Queue</dt><dd>{{> queue}}</dd>{{/queue}}
            {{#place.until}}<dt>Due</dt><dd>{{> until}}</dd>{{/place.until}}
            {{#place.node}}<dt>Worker</dt><dd>{{.}}</dd>{{/place.node}}
            {{#sent_at}}<dt>Sent</dt><dd>{{> ago}}</dd>{{/sent_at}}
            {{#origin}}<dt>Sent by</dt><dd>{{.}}</dd>{{/origin}}
            {{#positive(losses)}}<dt>Lost runs</dt><dd>{{count(losses)}}</dd>{{/positive(losses)}}
            {{#parent_id}}<dt>Parent</dt><dd>{{> task}}</dd>{{/parent_id}}
            {{#root_id}}<dt>Root</dt><dd>{{> task}}</dd>{{/root_id}}
            {{#group_id}}<dt>Group</dt><dd><code>{{.}}</code></dd>{{/group_id}}
            {{#workflow}}<dt>Workflow</dt><dd><a class="id" href="{{base}}/workflows/{{path(.)}}">{{.}}</a></dd>{{/workflow}}
            {{#letter}}<dt>Dead letter</dt><dd><a class="id" href="{{base}}/dead/{{path(.)}}">{{.}}</a></dd>{{/letter}}
            {{#status.children}}<dt>Child</dt><dd>{{> task}}</dd>{{/status.children}}
            </dl>
            {{#can_change}}<div class="actions">
            {{#can.retry}}<form method="post" action="{{base}}/tasks/{{path(id)}}/retry"><button class="main">Retry</button></form>{{/can.retry}}
            {{#can.copy}}<form method="post" action="{{base}}/tasks/{{path(id)}}/copy"><button>Run a copy</button></form>{{/can.copy}}
            {{#can.move}}<a class="button" href="{{base}}/delayed">Move …</a>{{/can.move}}
            {{#can.cancel}}<form method="post" action="{{base}}/tasks/{{path(id)}}/cancel"><button class="danger">Cancel</button></form>{{/can.cancel}}
            {{#can.delete}}<form method="post" action="{{base}}/tasks/{{path(id)}}/delete"><button class="danger">Delete</button></form>{{/can.delete}}
            </div>{{/can_change}}
            </div>
            <div data-part="attempts">
            <h2>Timeline</h2>
            <div class="scroll"><table><thead><tr><th>When</th><th>What</th><th></th></tr></thead><tbody>
            {{#timeline}}<tr><td>{{#at}}<time datetime="{{.}}">{{time(.)}}</time>{{/at}}</td><td>{{#what}}{{> state}}{{/what}}</td><td class="text">{{text}}</td></tr>
            {{/timeline}}
            {{^timeline}}<tr><td class="none" colspan="3">Nothing is remembered of it but its state.</td></tr>{{/timeline}}
            </tbody></table></div>
            <h2>Attempts</h2>
            <div class="scroll"><table><thead><tr><th class="number">No.</th><th>End</th><th>Worker</th><th>Started</th><th class="number">Took</th><th>Error</th></tr></thead><tbody>
            {{#attempts}}<tr><td class="number">{{attempt}}</td><td>{{#end}}{{> state}}{{/end}}</td><td>{{node}}</td>
            <td>{{#started_at}}{{> ago}}{{/started_at}}</td><td class="number">{{span(seconds)}}</td><td class="text">{{#error}}{{.}}{{/error}}</td></tr>
            {{/attempts}}
            {{^attempts}}<tr><td class="none" colspan="6">No attempt is over, or it is forgotten.</td></tr>{{/attempts}}
            </tbody></table></div>
            </div>
            <div data-part="result">
            {{#status}}
            {{#error}}<h2>Error</h2><p class="alarm">{{.}}</p>{{/error}}
            {{#traceback}}<pre>{{.}}</pre>{{/traceback}}
            {{^error}}{{#result_text}}<h2>Result</h2>{{#is_result_cut}}<p class="quiet">The first part of {{bytes(result_size)}}.</p><pre>{{result_text}}</pre>{{/is_result_cut}}{{^is_result_cut}}<pre id="result">{{.}}</pre>{{/is_result_cut}}{{/result_text}}{{/error}}
            {{/status}}
            </div>
            <div data-part="arguments">
            {{#hidden}}<p class="quiet">{{.}}</p>{{/hidden}}
            {{#edit}}<h2>Arguments</h2><pre>{{arguments}}</pre><pre>{{keywords}}</pre>{{/edit}}
            {{#message}}<details id="raw"><summary>The message, {{bytes(size)}}{{#is_cut}}, its first part{{/is_cut}}</summary><pre>{{text}}</pre></details>{{/message}}
            {{#body}}<details id="body"><summary>Its body, decoded</summary><pre>{{text}}</pre></details>{{/body}}
            {{^message}}{{^hidden}}<p class="quiet">Its message is not at hand: that of a task that succeeded is not kept, and a large one is not read.</p>{{/hidden}}{{/message}}
            </div>
            {{#can_change}}{{#edit}}<details id="copy"><summary>Run a copy with other arguments</summary>
            <form method="post" action="{{base}}/tasks/{{path(id)}}/copy">
            <label for="arguments">Arguments, a JSON array</label><textarea id="arguments" name="arguments" rows="6">{{{exact(arguments)}}}</textarea>
            <label for="keywords">By name, a JSON object</label><textarea id="keywords" name="keywords" rows="6">{{{exact(keywords)}}}</textarea>
            {{#hidden}}<p class="quiet">Where *** is left, the hidden value is sent.</p>{{/hidden}}
            <div class="actions"><button class="main">Run it</button></div>
            </form></details>{{/edit}}{{/can_change}}
            """)
}

extension Chard {
    /// Whether something is recorded of a workflow of this id.
    fileprivate func isWorkflow(_ id: String) async throws -> Bool {
        do {
            return try await workflow(id).report() != nil
        } catch is AppError {
            return false
        }
    }
}
