// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where a signature stands within others: what it gets from them once its ids are settled.
struct CanvasPlace {
    /// The id of the first task of the whole.
    var root: String?
    /// The id of the group that it is a member of.
    var group: String?
    /// Its place in that group.
    var index: Int?
    /// The body of the chord that its end counts for, as text.
    var chord: ArraySlice<UInt8>?

    /// The same, for what is not the end of a chain.
    var inside: CanvasPlace { CanvasPlace(root: root) }
}

extension Canvas {
    /// Gives every task and group an id that has none yet, and tells the ends of a chord what they count for.
    ///
    /// As Celery's `freeze`: of a chain the last one stands for the whole, of a chord its body; the ends of a group within a
    /// header count by themselves.
    /// - Parameter id: The id for the task that the result is stored under.
    mutating func freeze(_ id: String? = nil, _ place: CanvasPlace = CanvasPlace()) {
        switch form {
        case .task:
            if options[.taskID].text == nil { options[.taskID] = JSONText.string(id ?? TaskID.random()) }
            take(place)
            if options[.groupID] == nil, let group = place.group { options[.groupID] = JSONText.string(group) }
        case .chain(var tasks):
            let last = tasks.lastIndex { !$0.isEmpty } ?? tasks.endIndex
            for index in tasks.indices {
                if index == last { tasks[index].freeze(id, place) } else { tasks[index].freeze(nil, place.inside) }
            }
            form = .chain(tasks)
            if let id = tasks.last?.resultID { options[.taskID] = JSONText.string(id) }
        case .group:
            if options[.taskID].text == nil { options[.taskID] = JSONText.string(TaskID.random()) }
            take(place)
            if let group = place.group { options[.groupID] = JSONText.string(group) }
            var place = place
            form = .group(
                flatMembers.enumerated().map { index, member in
                    var member = member
                    place.index = index
                    member.freeze(nil, place)
                    return member
                })
        case .chord(var header, var body):
            header.freeze(nil, place.inside)
            options[.taskID] = header.options[.taskID]
            body.freeze(id, place)
            form = .chord(header, body: body)
        }
    }

    private mutating func take(_ place: CanvasPlace) {
        if let root = place.root { options[.rootID] = JSONText.string(root) }
        if let chord = place.chord { options[.chord] = chord }
        if let index = place.index { options[.groupIndex] = JSONText.integer(index) }
    }

    /// The members of a group, those of groups within it among them; chains of nothing are left out.
    var flatMembers: [Canvas] {
        members.flatMap { member in
            if case .task = member.form { return [member] }
            if case .chain(let tasks) = member.form { return tasks.isEmpty ? [] : [member] }
            if case .chord = member.form { return [member] }
            return member.flatMembers
        }
    }

    /// Celery's result tuple: `[[id, null], null]` of a task, `[[id, null], [tuple, ...]]` of a group.
    var resultTuple: JSON {
        switch form {
        case .task: return [[.string(options[.taskID].text ?? ""), nil], nil]
        case .chain(let tasks): return tasks.last { !$0.isEmpty }?.resultTuple ?? [[nil, nil], nil]
        case .chord(_, let body): return body.resultTuple
        case .group:
            return [[.string(options[.taskID].text ?? ""), nil], .array(flatMembers.map(\.resultTuple))]
        }
    }

    /// Whether the result is that of a group: a list of results, each of which is stored by itself.
    var isGroupInTheEnd: Bool {
        switch form {
        case .task: false
        case .chain(let tasks): tasks.last { !$0.isEmpty }?.isGroupInTheEnd ?? false
        case .chord(_, let body): body.isGroupInTheEnd
        case .group: true
        }
    }
}
