// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What is stored about a task: its state, and its result or error.
public struct TaskStatus: Sendable {
    /// The id of the task; empty if it was stored without.
    public var id: String
    /// How far the task has come.
    public var state: TaskState
    /// The JSON text of ``result``: what the task returned, the error, or whatever goes with the state.
    public var resultText: ArraySlice<UInt8>
    /// Where the error came from, for people to read.
    public var traceback: String?
    /// Celery's result tuples of the tasks that this one sent.
    public var children: JSON
    /// When the task became ready.
    public var dateDone: Date?
    /// The group that the task is part of.
    public var groupID: String?
    /// The task that sent this one.
    public var parentID: String?
    /// All other members, as with Celery's `result_extended`: `name`, `args`, `worker` and the like.
    public var extra: [String: JSON]

    /// A status to store; `result` is JSON text, from ``JSON/encode(_:)`` for instance.
    public init(
        id: String, state: TaskState, result: [UInt8] = Array("null".utf8), traceback: String? = nil,
        children: JSON = [], dateDone: Date? = nil, groupID: String? = nil, parentID: String? = nil,
        extra: [String: JSON] = [:]
    ) {
        self.id = id
        self.state = state
        resultText = result[...]
        self.traceback = traceback
        self.children = children
        self.dateDone = dateDone
        self.groupID = groupID
        self.parentID = parentID
        self.extra = extra
    }

    /// ``resultText`` as a tree; null if it is not JSON.
    public var result: JSON {
        get { (try? JSON(parsing: resultText)) ?? .null }
        set { resultText = newValue.encoded()[...] }
    }

    /// The error of a task that failed, was revoked or will be tried again.
    public var exception: ExceptionInfo? {
        state == .failure || state == .revoked || state == .retry ? ExceptionInfo(result) : nil
    }
}

extension TaskStatus: CustomStringConvertible {
    /// Id, state and what goes with it: `b26a3a9e: SUCCESS 5`, `b26a3a9e: FAILURE ValueError: no such plant`.
    public var description: String {
        let text = exception.map { "\($0)" } ?? String(decoding: resultText, as: UTF8.self)
        if text == "null", state != .success { return "\(id): \(state.rawValue)" }
        return "\(id): \(state.rawValue) \(text.utf8.count <= 1024 ? text : text.prefix(1000) + "...")"
    }
}

extension TaskStatus {
    /// Reads what Celery stores under `celery-task-meta-<id>`. Only `status` has to be there.
    public init(decoding payload: [UInt8], limits: JSONLimits = .default) throws(MessageError) {
        var status = TaskStatus(id: "", state: TaskState(rawValue: ""))
        do {
            try JSONScanner.read(payload[...], limits: limits) { (scanner) throws(JSONError) in
                try scanner.beginObject()
                while let key = try scanner.nextKey() { try status.read(key, &scanner, payload) }
                try scanner.finish()
            }
        } catch {
            throw MessageError(error, part: "the stored status", code: .malformed)
        }
        guard !status.state.rawValue.isEmpty else {
            throw MessageError(.malformed, "the stored status has no member \"status\", expected a state's name")
        }
        self = status
    }

    private mutating func read(
        _ key: StringToken, _ scanner: inout JSONScanner, _ payload: [UInt8]
    ) throws(JSONError) {
        if scanner.matches(key, "status") {
            state = TaskState(rawValue: try scanner.stringIfAny() ?? "")
        } else if scanner.matches(key, "result") {
            resultText = payload[try scanner.valueRange()]
        } else if scanner.matches(key, "traceback") {
            traceback = try scanner.stringIfAny()
        } else if scanner.matches(key, "children") {
            children = try scanner.value()
        } else if scanner.matches(key, "date_done") {
            dateDone = try scanner.stringIfAny().flatMap(Timestamp.date(from:))
        } else if scanner.matches(key, "task_id") {
            id = try scanner.stringIfAny() ?? ""
        } else if scanner.matches(key, "group_id") {
            groupID = try scanner.stringIfAny()
        } else if scanner.matches(key, "parent_id") {
            parentID = try scanner.stringIfAny()
        } else {
            extra[scanner.string(key)] = try scanner.value()
        }
    }

    /// The text to store: it begins with `{"status":"<state>","result":`.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter(capacity: 192 + resultText.count)
        writer.raw(#"{"status":"#)
        writer.string(state.rawValue)
        writer.raw(#","result":"#)
        writer.raw(resultText)
        writer.raw(#","traceback":"#)
        if let traceback { writer.string(traceback) } else { writer.raw("null") }
        writer.raw(#","children":"#)
        writer.value(children)
        writer.raw(#","date_done":"#)
        if let dateDone { writer.time(dateDone) } else { writer.raw("null") }
        writer.member(#""task_id":"#, id)
        writer.member(#""group_id":"#, groupID)
        writer.member(#""parent_id":"#, parentID)
        for (name, value) in extra.sorted(by: { $0.key < $1.key }) where !Self.names.contains(name) {
            writer.name(name)
            writer.value(value)
        }
        writer.raw("}")
        return writer.bytes
    }

    private static let names: Set = [
        "status", "result", "traceback", "children", "date_done", "task_id", "group_id", "parent_id",
    ]
}
