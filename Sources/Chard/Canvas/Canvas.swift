// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A signature as it travels: Celery's JSON for one call of a task, or for a chain, a group or a chord of calls.
///
/// Values stay the pieces of JSON text that they came as, to be decoded once the types of a task are known.
struct Canvas: Sendable, Hashable {
    /// What a signature is a signature of.
    indirect enum Form: Sendable, Hashable {
        /// One task.
        case task
        /// One after the other, each with the result of the one before it.
        case chain([Canvas])
        /// All at once.
        case group([Canvas])
        /// All at once, and then the body with the list of their results.
        case chord(Canvas, body: Canvas)
    }

    /// The name of the task; of the other forms a label.
    var task: String
    /// The positional arguments.
    var arguments: [ArraySlice<UInt8>] = []
    /// The keyword arguments; empty for chains, groups and chords.
    var keywords: [MessageBody.Keyword] = []
    /// Celery's options.
    var options: [CanvasOption: ArraySlice<UInt8>] = [:]
    /// Whether results of other tasks are not passed on to it.
    var isImmutable = false
    /// What it is a signature of.
    var form = Form.task
    /// Whether its sender wishes that its message goes at once to a worker that holds it until its time; `nil` where that
    /// depends on who serves the queue. It does not travel.
    var workerHoldsETA: Bool?

    /// A call of one task.
    init(task: String) { self.task = task }

    /// A chain.
    init(chain tasks: [Canvas]) {
        self.init(task: "celery.chain")
        form = .chain(tasks)
    }

    /// A group.
    init(group tasks: [Canvas]) {
        self.init(task: "celery.group")
        form = .group(tasks)
    }

    /// A chord.
    init(chord header: [Canvas], body: Canvas) {
        self.init(task: "celery.chord")
        form = .chord(Canvas(group: header), body: body)
    }

    /// The id that its result is stored under: of a chain its last task's, of a chord its body's.
    var resultID: String? {
        switch form {
        case .chain(let tasks): tasks.last?.resultID ?? options[.taskID].text
        case .chord(_, let body): body.resultID ?? options[.taskID].text
        case .task, .group: options[.taskID].text
        }
    }

    /// How many ends a chord waits for that has this in its header.
    var ends: Int {
        switch form {
        case .task: 1
        case .chain(let tasks): tasks.last { $0.ends > 0 }?.ends ?? 0
        case .group(let tasks): tasks.reduce(0) { $0 + $1.ends }
        case .chord(_, let body): body.ends
        }
    }

    /// The members of a group.
    var members: [Canvas] {
        switch form {
        case .group(let tasks): tasks
        case .task, .chain, .chord: [self]
        }
    }

    /// Whether it is a group, or a chain of nothing, so that nothing at all runs.
    var isEmpty: Bool {
        switch form {
        case .chain(let tasks), .group(let tasks): tasks.isEmpty
        case .task, .chord: false
        }
    }

    func keyword(_ name: String) -> ArraySlice<UInt8>? { keywords.first { $0.name == name }?.value }
}

/// The name of one of Celery's options.
struct CanvasOption: Sendable, Hashable, Comparable, ExpressibleByStringLiteral {
    let name: String

    init(_ name: String) { self.name = name }
    init(stringLiteral name: String) { self.name = name }

    static func < (a: CanvasOption, b: CanvasOption) -> Bool { a.name < b.name }

    static let taskID: CanvasOption = "task_id"
    static let groupID: CanvasOption = "group_id"
    static let groupIndex: CanvasOption = "group_index"
    static let rootID: CanvasOption = "root_id"
    static let parentID: CanvasOption = "parent_id"
    static let chain: CanvasOption = "chain"
    static let chord: CanvasOption = "chord"
    static let link: CanvasOption = "link"
    static let linkError: CanvasOption = "link_error"
    static let stampedHeaders: CanvasOption = "stamped_headers"
}

extension Canvas {
    /// The same, called with these arguments before its own, and with these options over its own.
    ///
    /// As in Celery, an immutable one takes no arguments, and the group that it is part of and its stamps stay what they are.
    func called(
        with partial: [ArraySlice<UInt8>] = [], options others: [CanvasOption: ArraySlice<UInt8>] = [:]
    ) -> Canvas {
        var called = self
        if !isImmutable, !partial.isEmpty { called.arguments = partial + arguments }
        guard !others.isEmpty else { return called }
        let stamps = options[.stampedHeaders].map { Set(JSONText.texts($0).map { CanvasOption($0) }) } ?? []
        for (option, value) in others where options[option] == nil || !isLasting(option, stamps) {
            called.options[option] = value
        }
        return called
    }

    private func isLasting(_ option: CanvasOption, _ stamps: Set<CanvasOption>) -> Bool {
        option == .groupID || option == .stampedHeaders || stamps.contains(option)
    }

    /// Adds signatures to an option that is a list of them.
    mutating func append(_ signatures: [ArraySlice<UInt8>], to option: CanvasOption) {
        let present = options[option].signatures
        options[option] = JSONText.array(present + signatures.filter { !present.contains($0) })
    }
}

extension ArraySlice<UInt8>? {
    /// The text that an option is; `nil` if it is null or no text.
    var text: String? { flatMap { try? JSON(parsing: $0) }?.string }

    /// The signatures that an option lists: it may be one alone, or none.
    var signatures: [ArraySlice<UInt8>] {
        guard let self, let first = self.first(where: { !JSONText.isSpace($0) }) else { return [] }
        if first == UInt8(ascii: "[") { return JSONText.elements(self) ?? [] }
        return first == UInt8(ascii: "{") ? [self] : []
    }
}
