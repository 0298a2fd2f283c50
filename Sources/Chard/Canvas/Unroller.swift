// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What an app knows that signatures do not say: which queue a task belongs to, and what holds for all its calls.
struct CanvasRules: Sendable {
    /// The queue of a task, where its call does not name one.
    var queue: @Sendable (_ task: String, _ named: String?) -> String
    /// The options of a task that is registered here.
    var options: @Sendable (_ task: String) -> TaskOptions?
    /// The parameters of a task that is registered here.
    var parameters: @Sendable (_ task: String) -> [Parameter]
    /// What may be shown of arguments.
    var texts: ArgumentTexts
    /// The sender, as messages name it.
    var origin: String
    /// The present time.
    var now: @Sendable () -> Date
    /// How long the status of a task is kept that will never run.
    var lifetimes: StatusLifetimes
    /// How long a join is kept from its last change on.
    var joinsExpire: Duration
    /// How messages are signed, if they are.
    var signing: MessageSigning?
}

/// Turns signatures into the messages to be sent now, and the joins to be opened before them: what Celery's `apply_async`
/// does with them.
struct Unroller {
    let rules: CanvasRules
    /// The task that sends, if it is one.
    let parent: TaskMessage?
    /// The id of the workflow, where no task sends it.
    let root: String?
    /// A queue that Swift workers serve, and where records are kept: what Python's workers tell nobody of is told there.
    let noticeQueue: String?

    /// The messages, in the order in which they are to be sent.
    private(set) var messages: [TaskMessage] = []
    /// The joins to open, before the messages.
    private(set) var joins: [JoinOpening] = []
    /// The records that messages rely on, to be written before them.
    private(set) var records: [RecordChange] = []
    /// The members of a large group, which are made into messages as they are sent.
    private(set) var crowd: Crowd?
    /// Whether the messages of a large group may wait until they are sent. Its members have their ids then.
    var keepsCrowd = false
    /// Celery's result tuples of what was sent: the children of the task that sends.
    private(set) var children: [JSON] = []

    init(_ rules: CanvasRules, parent: TaskMessage?, root: String? = nil, noticeQueue: String? = nil) {
        self.rules = rules
        self.parent = parent
        self.root = root
        self.noticeQueue = noticeQueue
    }

    /// Adds what a signature comes to.
    /// - Parameters:
    ///   - partial: The arguments that it gets before its own.
    ///   - given: Options over its own.
    mutating func send(
        _ canvas: Canvas, _ partial: [ArraySlice<UInt8>] = [], _ given: [CanvasOption: ArraySlice<UInt8>] = [:]
    ) throws(CanvasError) {
        guard let noticeQueue, !canvas.isTask, let workflow = parent?.workflowID ?? root else {
            return try send(canvas, partial, given, isChild: true)
        }
        var canvas = canvas
        var notices = FailureNotices(of: workflow, on: noticeQueue, timeToLive: rules.lifetimes.usual)
        notices.add(to: &canvas, before: given[.chain].signatures)
        records += notices.records
        try send(canvas, partial, given, isChild: true)
    }

    /// The same with the rest of a chain behind it, which its message carries as it is.
    mutating func send(
        _ canvas: Canvas, _ partial: [ArraySlice<UInt8>], before rest: [ArraySlice<UInt8>]
    ) throws(CanvasError) {
        guard case .task = canvas.form, !rest.isEmpty else {
            return try send(canvas, partial, rest.isEmpty ? [:] : [.chain: JSONText.array(rest)])
        }
        let message = try message(of: canvas.called(with: partial), chain: rest)
        children.append([[.string(message.id), nil], nil])
        messages.append(message)
    }

    /// The same, for what is no child of the task that sends.
    /// - Returns: Celery's result tuples of what was sent.
    mutating func sendApart(
        _ canvas: Canvas, _ partial: [ArraySlice<UInt8>], _ given: [CanvasOption: ArraySlice<UInt8>] = [:]
    ) throws(CanvasError) -> [JSON] {
        let own = children
        children = []
        try send(canvas, partial, given)
        defer { children = own }
        return children
    }

    private mutating func send(
        _ canvas: Canvas, _ partial: [ArraySlice<UInt8>], _ given: [CanvasOption: ArraySlice<UInt8>], isChild: Bool
    ) throws(CanvasError) {
        switch canvas.form {
        case .task:
            let message = try message(of: canvas.called(with: partial, options: given))
            if isChild { children.append([[.string(message.id), nil], nil]) }
            messages.append(message)
        case .chain(let tasks): try sendChain(canvas, tasks, partial, given, isChild)
        case .group: try sendGroup(canvas, partial, given, isChild)
        case .chord(let header, let body): try sendChord(canvas, header, body, partial, given, isChild)
        }
    }

    private mutating func sendChain(
        _ canvas: Canvas, _ tasks: [Canvas], _ partial: [ArraySlice<UInt8>],
        _ given: [CanvasOption: ArraySlice<UInt8>], _ isChild: Bool
    ) throws(CanvasError) {
        var options = canvas.options.merging(given) { $1 }
        let place = CanvasPlace(
            root: options.removeValue(forKey: .rootID).text, group: options.removeValue(forKey: .groupID).text,
            index: options.removeValue(forKey: .groupIndex).integer, chord: options.removeValue(forKey: .chord))
        options[.parentID] = nil
        let callbacks = options.removeValue(forKey: .link).signatures
        var steps = ChainSteps(
            of: tasks, partial: canvas.isImmutable ? canvas.arguments : partial + canvas.arguments,
            errbacks: options.removeValue(forKey: .linkError).signatures, id: options.removeValue(forKey: .taskID).text,
            place
        ).reversed
        guard !steps.isEmpty else { return }
        if !callbacks.isEmpty { steps[0].append(callbacks: callbacks) }
        let first = steps.removeLast()
        let rest = options[.chain].signatures + steps.map { $0.encoded() }
        options[.chain] = rest.isEmpty ? nil : JSONText.array(rest)
        try send(first, [], options, isChild: isChild)
    }

    private mutating func sendGroup(
        _ canvas: Canvas, _ partial: [ArraySlice<UInt8>], _ given: [CanvasOption: ArraySlice<UInt8>], _ isChild: Bool
    ) throws(CanvasError) {
        var options = canvas.called(options: given).options
        // What comes after a group waits for all of it.
        let rest = options.removeValue(forKey: .chain).signatures
        if !rest.isEmpty {
            var tasks: [Canvas] = []
            for text in rest.reversed() { tasks.append(try Canvas(reading: text)) }
            var header = canvas
            header.options[.chain] = nil
            let chord = Canvas(chain: [header] + tasks)
            return try send(chord, partial, given.filter { $0.key != .chain }, isChild: isChild)
        }
        let group = options.removeValue(forKey: .taskID).text ?? TaskID.random()
        options[.groupID] = JSONText.string(group)
        let chord = options.removeValue(forKey: .chord)
        options[.groupIndex] = nil
        let errbacks = options.removeValue(forKey: .linkError).signatures
        let callbacks = options.removeValue(forKey: .link).signatures
        var members = canvas.flatMembers
        for index in members.indices {
            members[index].freeze(
                nil, CanvasPlace(root: options[.rootID].text, group: group, index: index, chord: chord))
            if !errbacks.isEmpty { members[index].append(errbacks: errbacks) }
        }
        guard !members.isEmpty else { return }
        if !callbacks.isEmpty { members[0].append(callbacks: callbacks) }
        if members.last?.options[.chord] != nil || chord != nil {
            joins.append(
                JoinOpening(
                    group: group, size: members.reduce(0) { $0 + $1.ends }, timeToLive: rules.joinsExpire))
        }
        let crowd = Crowd(members: members, partial: partial, options: options, chord: chord)
        if keepsCrowd, self.crowd == nil, members.count > Crowd.least, members.allSatisfy(\.isTask) {
            self.crowd = crowd
            return
        }
        if isChild { children.append([[.string(group), nil], .array(members.map(\.resultTuple))]) }
        for member in members { try send(member, partial, crowd.options(for: member), isChild: false) }
    }

    /// The messages of some members of a large group.
    func messages(of crowd: Crowd, _ range: Range<Int>) throws(CanvasError) -> [TaskMessage] {
        var messages: [TaskMessage] = []
        messages.reserveCapacity(range.count)
        for member in crowd.members[range] {
            messages.append(try message(of: member.called(with: crowd.partial, options: crowd.options(for: member))))
        }
        return messages
    }

    private mutating func sendChord(
        _ canvas: Canvas, _ header: Canvas, _ body: Canvas, _ partial: [ArraySlice<UInt8>],
        _ given: [CanvasOption: ArraySlice<UInt8>], _ isChild: Bool
    ) throws(CanvasError) {
        var (header, body) = (header, body)
        var options = canvas.options.merging(given) { $1 }
        let group = header.options[.taskID].text ?? TaskID.random()
        let id = options.removeValue(forKey: .taskID).text
        let delay = options.filter { ["countdown", "eta"].contains($0.key) }
        for option in delay.keys { options[option] = nil }
        let callbacks = options.removeValue(forKey: .link).signatures
        let errbacks = options.removeValue(forKey: .linkError).signatures
        body = body.called(options: options.filter { $0.key != .parentID })
        if !callbacks.isEmpty { body.append(callbacks: callbacks) }
        if !errbacks.isEmpty { body.append(errbacks: errbacks) }
        body.freeze(id == group ? nil : id, CanvasPlace(root: body.options[.rootID].text, group: group))
        let arguments = canvas.isImmutable ? canvas.arguments : partial + canvas.arguments
        guard header.ends > 0 else { return try send(body, [JSONText.array([])], [:], isChild: isChild) }
        options[.chain] = nil
        options[.chord] = nil
        header.options[.taskID] = JSONText.string(group)
        header.freeze(
            nil, CanvasPlace(root: body.options[.rootID].text, group: group, chord: body.encoded()))
        let hasGroups = header.flatMembers.contains { $0.isGroupInTheEnd }
        let before = joins.count
        try sendGroup(header, arguments, options.merging(delay) { $1 }, isChild)
        if hasGroups {
            let members: JSON = ["result": header.resultTuple]
            joins[before].members = members.encoded()
        }
    }
}

extension ArraySlice<UInt8>? {
    /// The integer that an option is.
    var integer: Int? { flatMap { try? JSON(parsing: $0) }?.integer }
}
