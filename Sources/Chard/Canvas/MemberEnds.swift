// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The end of one member of a join, as Celery keeps it: `[1, id, state, result]`.
struct MemberEnd {
    var id: String
    var state: TaskState
    var result: ArraySlice<UInt8>

    init(id: String, state: TaskState, result: ArraySlice<UInt8>) {
        self.id = id
        self.state = state
        self.result = result
    }

    /// Reads one that Celery or Chard has written; `nil` if it is none.
    init?(reading text: [UInt8]) {
        guard let parts = JSONText.elements(text[...]), parts.count == 4,
            let id = (try? JSON(parsing: parts[1]))?.string, let state = (try? JSON(parsing: parts[2]))?.string
        else { return nil }
        self.init(id: id, state: TaskState(rawValue: state), result: parts[3])
    }

    func encoded() -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + result.count)
        writer.raw("[1, ")
        writer.string(id)
        writer.raw(", ")
        writer.string(state.rawValue)
        writer.raw(", ")
        writer.raw(result)
        writer.raw("]")
        return writer.bytes
    }
}

/// The ends of all members of a join.
struct MemberEnds {
    private let ends: [MemberEnd]
    private let tuples: JSON?
    /// An end that cannot be read.
    private let corrupt: String?

    /// - Parameter last: The end that was not counted yet, or counted with another outcome.
    init(_ known: KnownJoins.Ends, with last: JoinPart) {
        var ends: [MemberEnd] = []
        var corrupt: String?
        var place = 0
        for (number, text) in known.ends.enumerated() {
            let end = MemberEnd(reading: text)
            if let end, end.id != last.member { ends.append(end) }
            if end == nil { corrupt = corrupt ?? String(decoding: text.prefix(100), as: UTF8.self) }
            if number < known.before { place = ends.endIndex }
        }
        if let end = MemberEnd(reading: last.end) { ends.insert(end, at: place) }
        self.ends = ends
        self.corrupt = corrupt
        tuples = known.members.flatMap { try? JSON(parsing: $0, limits: .held) }.flatMap { $0["result"] }
    }

    /// Why what follows a success is not sent: a member has failed, was revoked, or left something that cannot be read.
    var failure: (chord: TaskError, cause: TaskError)? {
        if let corrupt {
            let error = TaskError(
                "ChordError", "the end of a member cannot be read: \(corrupt)", module: "celery.exceptions")
            return (error, error)
        }
        guard let end = ends.first(where: { $0.state == .failure || $0.state == .revoked }) else { return nil }
        let info = (try? JSON(parsing: end.result)).flatMap(ExceptionInfo.init)
        let cause = info.map { TaskError($0, traceback: nil) }
        let error = TaskError.chord(end.id, cause)
        return (error, cause ?? error)
    }

    /// The results as a JSON list, in the order of the members' places; of members that are groups a list each.
    var results: ArraySlice<UInt8> {
        guard let tuples = tuples?[1]?.array else { return JSONText.array(ends.map(\.result)) }
        let byID = Dictionary(ends.map { ($0.id, $0.result) }) { first, _ in first }
        return JSONText.array(tuples.map { Self.result(of: $0, byID) })
    }

    private static func result(of tuple: JSON, _ byID: [String: ArraySlice<UInt8>]) -> ArraySlice<UInt8> {
        if let members = tuple[1]?.array { return JSONText.array(members.map { result(of: $0, byID) }) }
        let id = tuple[0]?.string ?? tuple[0]?[0]?.string ?? ""
        return byID[id] ?? JSONText.null
    }
}

extension TaskError {
    /// Celery's failure of a chord's body.
    static func chord(_ member: String, _ cause: TaskError?) -> TaskError {
        TaskError(
            "ChordError", "Dependency \(member) raised \(cause?.info.pythonText ?? "an error")",
            module: "celery.exceptions")
    }
}

extension ExceptionInfo {
    /// As Python's `repr` shows it: `ValueError('boom')`.
    var pythonText: String {
        let arguments = Arguments(message).positionalText
        return type + (message.count == 1 ? arguments.replacingLast(",)", by: ")") : arguments)
    }
}

extension String {
    fileprivate func replacingLast(_ ending: String, by other: String) -> String {
        hasSuffix(ending) ? dropLast(ending.count) + other : self
    }
}

extension JoinPart {
    /// An end as a store has it: its bytes stay the same. One that cannot be read is that of a member of its own.
    package init(stored end: [UInt8], of group: String, at index: Int?, timeToLive: Duration?) {
        let read = MemberEnd(reading: end)
        self.init(
            group: group, member: read?.id ?? String(decoding: end, as: UTF8.self), index: index,
            isSuccess: read?.state == .success, end: end, timeToLive: timeToLive)
    }
}
