// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Tells a failure in Python to those whom Celery's workers do not tell.
///
/// A Celery worker tells a failure to the rest of the chain, and to the chord that a task counts for. It leaves out two, and whoever
/// waits for them would wait for ever (`celery/backends/base.py` of 5.7):
/// - the chord that the body of a chord counts for, once that body cannot run: `chord_error_from_stack` stores the body's failure
///   without a request, and it is the request from which `mark_as_failure` knows of a chord;
/// - the members of a group at the end of a chain: `_fail_chain` stores the failure under the id of the group.
///
/// But in both cases it calls errbacks. So what comes before one of these carries an errback, a message of a builtin task which
/// Swift workers run, and which finds in the record of the workflow whom to tell. Swift workers tell everyone by themselves, and so
/// never send it.
enum FailureNotice {
    /// The name of the builtin task.
    static let task = "chard.told"

    /// Under which name the record has the signatures that will never run, as a list.
    static func value(_ id: String) -> String { "told:\(id)" }

    /// The errback.
    /// - Parameter id: What the notice is known by among those of the workflow.
    static func signature(_ id: String, of workflow: String, on queue: String) -> Canvas {
        var canvas = Canvas(task: task)
        canvas.keywords = [
            MessageBody.Keyword(name: "workflow", value: JSONText.string(workflow)),
            MessageBody.Keyword(name: "notice", value: JSONText.string(id)),
        ]
        canvas.options["queue"] = JSONText.string(queue)
        canvas.options["ignore_result"] = JSON.bool(true).encoded()[...]
        return canvas
    }

    /// It comes again while it has to wait for another member of the same header, however long that runs.
    static let retry = RetryPolicy(
        maxRetries: 1_000_000, initialDelay: .seconds(1), maximumDelay: .seconds(10), factor: 2, jitter: false,
        onAnyError: false)

    /// The header of a task that fails in the place of a chord: the errbacks of what is behind it are called, too.
    static let errbacksHeader = "chard_errbacks"

    /// What the builtin task gives way to: a task that fails, with those behind it who are to be told.
    /// - Parameter callsErrbacks: Whether theirs are called, as those of a chord's body are, and those of a chain's rest are not.
    static func failing(_ rest: [Canvas], _ error: TaskError, on queue: String, callsErrbacks: Bool = false) -> Canvas {
        var canvas = failing(Array(JSONText.array(rest.map { $0.encoded() })), error, on: queue)
        if callsErrbacks {
            let headers: JSON = [errbacksHeader: true]
            canvas.options["headers"] = headers.encoded()[...]
        }
        return canvas
    }

    /// The same, of those as the record has them.
    static func failing(_ rest: [UInt8], _ error: TaskError, on queue: String) -> Canvas {
        var canvas = Canvas(task: FlowStep.failing)
        canvas.keywords = [MessageBody.Keyword(name: "error", value: error.info.json.encoded()[...])]
        canvas.options["queue"] = JSONText.string(queue)
        canvas.options["ignore_result"] = JSON.bool(true).encoded()[...]
        canvas.options[.chain] = rest[...]
        return canvas
    }
}

/// Adds notices to a signature, as far as its ids are settled, and gathers what is to be in the record of its workflow.
struct FailureNotices {
    let workflow: String
    /// A queue that Swift workers serve.
    let queue: String
    let timeToLive: Duration
    private(set) var records: [RecordChange] = []

    init(of workflow: String, on queue: String, timeToLive: Duration) {
        self.workflow = workflow
        self.queue = queue
        self.timeToLive = timeToLive
    }

    /// - Parameters:
    ///   - place: What the end of the signature counts for, as far as its options do not say that yet.
    ///   - chain: What comes behind it, the last one first, as text.
    mutating func add(
        to canvas: inout Canvas, _ place: CanvasPlace = CanvasPlace(), before chain: [ArraySlice<UInt8>] = []
    ) {
        switch canvas.form {
        case .task: break
        case .chain(var tasks):
            guard let last = tasks.lastIndex(where: { !$0.isEmpty }), tasks.contains(where: { !$0.isTask }) else {
                return
            }
            if last > 0, var group = tasks[last].groupAtTheEnd, let id = group.options[.taskID].text,
                group.members.allSatisfy({ $0.resultID != nil })
            {
                group.freeze(nil, place)
                let errback = notice(id, to: [group])
                for index in 0..<last where !tasks[index].hasNotice { tasks[index].append(errbacks: [errback]) }
            }
            for index in tasks.indices where !tasks[index].isTask {
                let rest = tasks.indices.dropFirst(index + 1).reversed().map { next in
                    var step = tasks[next]
                    if next == last { step.freeze(nil, place) }
                    return step.encoded()
                }
                add(to: &tasks[index], index == last ? place : CanvasPlace(), before: chain + rest)
            }
            canvas.form = .chain(tasks)
        case .group(var members):
            guard !members.allSatisfy(\.isTask) else { return }
            for index in members.indices {
                var own = place
                own.index = index
                if place.chord == nil { own = CanvasPlace() }
                add(to: &members[index], own)
            }
            canvas.form = .group(members)
        case .chord(var header, var body):
            add(to: &header, before: body, chain, counting: place)
            addToBody(&body, place)
            canvas.form = .chord(header, body: body)
        }
    }

    /// The members of a header count for the body, with what that counts for in turn, and what comes behind it.
    private mutating func add(
        to header: inout Canvas, before body: Canvas, _ chain: [ArraySlice<UInt8>], counting place: CanvasPlace
    ) {
        guard let id = header.options[.taskID].text, body.resultID != nil, !header.members.allSatisfy(\.isTask) else {
            return
        }
        var body = body
        body.freeze(nil, place)
        if !chain.isEmpty { body.options[.chain] = JSONText.array(chain) }
        header.form = .group(header.flatMembers)
        add(to: &header, CanvasPlace(root: place.root, group: id, chord: body.encoded()))
    }

    private mutating func addToBody(_ body: inout Canvas, _ place: CanvasPlace) {
        add(to: &body, place)
        var whole = body
        whole.freeze(nil, place)
        switch body.form {
        case .task: tellOfEnd(of: &body, whole)
        case .group(var members):
            for (index, member) in zip(members.indices, whole.members) { tellOfEnd(of: &members[index], member) }
            body.form = .group(members)
        case .chain, .chord: break
        }
    }

    /// - Parameter whole: The same, with what it counts for.
    private mutating func tellOfEnd(of canvas: inout Canvas, _ whole: Canvas) {
        guard canvas.isTask, let chord = whole.options[.chord], let id = canvas.options[.taskID].text,
            !canvas.hasNotice
        else { return }
        var untold = Canvas(task: canvas.task)
        for option in [CanvasOption.taskID, .groupID, .groupIndex, .rootID] {
            untold.options[option] = whole.options[option]
        }
        untold.options[.chord] = chord
        // Its own failure is stored; nobody is told of it.
        untold.options["ignore_result"] = JSON.bool(true).encoded()[...]
        canvas.append([notice(id, to: [untold])], to: .linkError)
    }

    private mutating func notice(_ id: String, to rest: [Canvas]) -> ArraySlice<UInt8> {
        records.append(
            RecordChange(
                .keep, workflow, FailureNotice.value(id), Array(JSONText.array(rest.map { $0.encoded() })),
                timeToLive: timeToLive))
        return FailureNotice.signature(id, of: workflow, on: queue).encoded()
    }
}

extension Canvas {
    /// Whether it is a call of one task.
    var isTask: Bool { if case .task = form { true } else { false } }

    /// Its first task that counts for a chord: its id, the id of the header, and the body.
    var counting: (id: String, group: String, chord: ArraySlice<UInt8>)? {
        switch form {
        case .task:
            guard let id = options[.taskID].text, let group = options[.groupID].text, let chord = options[.chord] else {
                return nil
            }
            return (id, group, chord)
        case .chain(let parts), .group(let parts): return parts.lazy.compactMap(\.counting).first
        case .chord(_, let body): return body.counting
        }
    }

    /// Counts for the header under another id than so far.
    mutating func rename(_ header: String, to group: String) {
        switch form {
        case .task: if options[.groupID].text == header { options[.groupID] = JSONText.string(group) }
        case .chain(var parts):
            for index in parts.indices { parts[index].rename(header, to: group) }
            form = .chain(parts)
        case .group(var members):
            for index in members.indices { members[index].rename(header, to: group) }
            form = .group(members)
        case .chord(let head, var body):
            body.rename(header, to: group)
            form = .chord(head, body: body)
        }
    }

    /// Whether it carries a notice already: from whoever sent the whole.
    fileprivate var hasNotice: Bool {
        options[.linkError].signatures.contains { (try? Canvas(reading: $0))?.task == FailureNotice.task }
    }

    /// The group that it ends in.
    fileprivate var groupAtTheEnd: Canvas? {
        switch form {
        case .task: nil
        case .group: self
        case .chain(let tasks): tasks.last { !$0.isEmpty }?.groupAtTheEnd
        case .chord(_, let body): body.groupAtTheEnd
        }
    }
}
