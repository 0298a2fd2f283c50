// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The steps of a chain, taken apart so that each is a task, a chord, or at the end a group: what Celery does with a chain
/// before it is sent.
struct ChainSteps {
    /// The steps, the last one first: in this order messages carry them, so that the next one is at the end.
    private(set) var reversed: [Canvas] = []

    /// - Parameters:
    ///   - partial: The arguments that the first one gets before its own.
    ///   - errbacks: What each of them is to call when it fails.
    ///   - id: The id for the task that the result of the chain is stored under.
    ///   - place: Where the chain stands; its last step takes that.
    init(
        of tasks: [Canvas], partial: [ArraySlice<UInt8>], errbacks: [ArraySlice<UInt8>], id: String?,
        _ place: CanvasPlace
    ) {
        var rest = Self.withRealHead(tasks)
        var isLast = true
        while var step = rest.popLast() {
            step = step.onlyMember ?? step
            if step.isEmpty, !rest.isEmpty || !reversed.isEmpty { continue }
            if let parts = step.bodyUnrolled {
                rest += parts
                continue
            }
            if case .chain = step.form {
                rest += step.unchained
                continue
            }
            if rest.isEmpty { step = step.called(with: partial) }
            if case .group = step.form, let body = reversed.popLast() {
                let header = step
                step = Canvas(chord: [], body: body)
                step.form = .chord(header, body: body)
            }
            step.freeze(isLast ? id : nil, isLast ? place : place.inside)
            isLast = false
            if !errbacks.isEmpty { step.append(errbacks: errbacks) }
            reversed.append(step)
        }
    }

    /// The first step gets the arguments, so it must be one that runs: chains are taken apart, groups of nothing left out
    /// unless they are all there is.
    private static func withRealHead(_ tasks: [Canvas]) -> [Canvas] {
        var rest = tasks[...]
        var empty: Canvas?
        while let head = rest.first {
            if case .chain = head.form {
                rest = (head.unchained + rest.dropFirst())[...]
            } else if head.isEmpty, rest.count > 1 {
                empty = rest.popFirst()
            } else {
                break
            }
        }
        if rest.isEmpty, let empty { return [empty] }
        return Array(rest)
    }
}

extension Canvas {
    /// The only member of a group of one, which is treated as if it stood alone.
    fileprivate var onlyMember: Canvas? {
        guard case .group(let tasks) = form, tasks.count == 1 else { return nil }
        return tasks[0].onlyMember ?? tasks[0]
    }

    /// The tasks of a chain: what is linked to the chain is linked to its last task, its errbacks to each.
    fileprivate var unchained: [Canvas] {
        guard case .chain(var tasks) = form, !tasks.isEmpty else { return [] }
        let (callbacks, errbacks) = (options[.link].signatures, options[.linkError].signatures)
        if !callbacks.isEmpty { tasks[tasks.count - 1].append(callbacks: callbacks) }
        if !errbacks.isEmpty { for index in tasks.indices { tasks[index].append(errbacks: errbacks) } }
        return tasks
    }

    /// A chord whose body is a chain, as a chord with the first task of that and the rest behind it: each task of a header
    /// carries the body, and is to carry no more than it must.
    fileprivate var bodyUnrolled: [Canvas]? {
        guard case .chord(let header, let body) = form, case .chain(let tasks) = body.form, tasks.count > 1,
            case .task = tasks[0].form
        else { return nil }
        var parts = body.unchained
        let lasting: Set<CanvasOption> = [
            .taskID, .groupID, .groupIndex, .chord, .link, .linkError, .rootID, .parentID,
        ]
        parts[0] = parts[0].called(options: body.options.filter { !lasting.contains($0.key) })
        var chord = self
        chord.form = .chord(header, body: parts[0])
        return [chord] + parts.dropFirst()
    }

    /// Calls these when it has succeeded: of a chord its body, of a chain its last task, of a group its first.
    mutating func append(callbacks: [ArraySlice<UInt8>]) {
        switch form {
        case .task: append(callbacks, to: .link)
        case .chain(var tasks):
            guard !tasks.isEmpty else { return }
            tasks[tasks.count - 1].append(callbacks: callbacks)
            form = .chain(tasks)
        case .group(var tasks):
            guard !tasks.isEmpty else { return }
            tasks[0].append(callbacks: callbacks)
            form = .group(tasks)
        case .chord(let header, var body):
            body.append(callbacks: callbacks)
            form = .chord(header, body: body)
        }
    }

    /// Calls these when it, or one of its parts that stand one after the other, has failed.
    mutating func append(errbacks: [ArraySlice<UInt8>]) {
        switch form {
        case .task: append(errbacks, to: .linkError)
        case .chain(var tasks):
            for index in tasks.indices { tasks[index].append(errbacks: errbacks) }
            form = .chain(tasks)
        case .group(var tasks):
            for index in tasks.indices { tasks[index].append(errbacks: errbacks) }
            form = .group(tasks)
        case .chord(let header, var body):
            body.append(errbacks: errbacks)
            form = .chord(header, body: body)
        }
    }
}
