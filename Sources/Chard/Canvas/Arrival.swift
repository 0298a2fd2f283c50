// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The arrival of a part at a join that waits for all of its parts to be over, however they end: the body gets an outcome for each.
/// Or, if the join ends at the first failure, for all of them to succeed: then the body gets their results.
///
/// Each part carries it twice, as a callback and as an errback, so to Celery's workers it is an ordinary task that follows. Where a
/// Swift worker has run the part, it is no message at all but counted in the step that settles the part. Where Python has, it
/// is the message of a builtin task, which Swift workers run: its end is that of the part.
struct Arrival: Sendable {
    /// The name of the builtin task.
    static let task = "chard.outcome"

    /// The id that the part counts under.
    var id: String
    /// The id of the join.
    var group: String
    /// The place of the part.
    var index: Int
    /// How many parts there are: the join need not be opened by whoever sends them.
    var size: Int
    /// What follows, as text.
    var body: ArraySlice<UInt8>
    /// Whether the part has succeeded.
    var isSuccess: Bool
    /// The group whose members are called off at the first failure; `nil` where the join waits for all.
    var calledOff: String?

    init(
        id: String, group: String, index: Int, size: Int, body: ArraySlice<UInt8>, isSuccess: Bool,
        calledOff: String? = nil
    ) {
        self.id = id
        self.group = group
        self.index = index
        self.size = size
        self.body = body
        self.isSuccess = isSuccess
        self.calledOff = calledOff
    }

    /// Reads a signature of it; `nil` if it is one of something else.
    init?(_ canvas: Canvas) throws(CanvasError) {
        guard canvas.task == Self.task else { return nil }
        try self.init(id: canvas.options[.taskID].text, canvas.keywords)
    }

    /// Reads a message of it; `nil` if it is one of something else.
    init?(_ message: TaskMessage) throws(CanvasError) {
        guard message.task == Self.task else { return nil }
        try self.init(id: message.id, (try? message.decodeBody(limits: .held))?.keywords ?? [])
    }

    private init(id: String?, _ keywords: [MessageBody.Keyword]) throws(CanvasError) {
        func value(_ name: String) -> ArraySlice<UInt8>? { keywords.first { $0.name == name }?.value }
        guard let id, let group = value("join").text, let index = value("index").integer,
            let size = value("size").integer, size > 0, let body = value("body")
        else {
            throw CanvasError(
                "\(Self.task) is given no join: it takes 'join', 'index', 'size' and 'body', as group(...).finally(...) writes them"
            )
        }
        self.init(
            id: id, group: group, index: index, size: size, body: body,
            isSuccess: value("ok").flatMap { try? JSON(parsing: $0) }?.bool ?? true, calledOff: value("first").text)
    }

    /// The signature that a part carries.
    func signature(on queue: String) -> Canvas {
        var canvas = Canvas(task: Self.task)
        canvas.keywords = [
            MessageBody.Keyword(name: "join", value: JSONText.string(group)),
            MessageBody.Keyword(name: "index", value: JSONText.integer(index)),
            MessageBody.Keyword(name: "size", value: JSONText.integer(size)),
            MessageBody.Keyword(name: "ok", value: JSON.bool(isSuccess).encoded()[...]),
            MessageBody.Keyword(name: "body", value: body),
        ]
        if let calledOff {
            canvas.keywords.append(MessageBody.Keyword(name: "first", value: JSONText.string(calledOff)))
        }
        canvas.options[.taskID] = JSONText.string(id)
        canvas.options["queue"] = JSONText.string(queue)
        return canvas
    }
}

/// What a part has come to, as the body of a join gets it: `{"id", "state", "result"}` or `{"id", "state", "error"}`.
enum PartEnd {
    static func success(_ id: String, _ result: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var writer = JSONWriter(capacity: result.count + 80)
        writer.raw(#"{"id":"#)
        writer.string(id)
        writer.raw(#","state":"SUCCESS","result":"#)
        writer.raw(result)
        writer.raw("}")
        return writer.bytes[...]
    }

    static func failure(_ id: String, _ state: TaskState, _ error: TaskError) -> ArraySlice<UInt8> {
        let json: JSON = ["id": .string(id), "state": .string(state.rawValue), "error": error.info.json]
        return json.encoded()[...]
    }

    /// The failure that an outcome tells of, with the id of what has failed; `nil` of a success.
    static func failure(in outcome: JSON) -> (id: String, error: TaskError)? {
        guard outcome["state"]?.string != TaskState.success.rawValue else { return nil }
        let error = outcome["error"].flatMap(ExceptionInfo.init).map { TaskError($0, traceback: nil) }
        return (
            outcome["id"]?.string ?? "",
            error ?? TaskError("UnknownError", "nothing is known of the failure", module: "chard")
        )
    }
}

extension Canvas {
    /// Lets every member of the group that this is, or ends in, arrive at a join of its own.
    /// - Parameter endsAtFailure: Whether that ends at the first failure.
    mutating func arrive(
        at group: String, then body: ArraySlice<UInt8>, on queue: String, endsAtFailure: Bool = false
    ) throws(CanvasError) {
        switch form {
        case .chain(var tasks):
            guard !tasks.isEmpty else { throw CanvasError("a chain of nothing has no parts to wait for") }
            try tasks[tasks.count - 1].arrive(at: group, then: body, on: queue, endsAtFailure: endsAtFailure)
            form = .chain(tasks)
        case .group(var members):
            let id = options[.taskID].text ?? TaskID.random()
            options[.taskID] = JSONText.string(id)
            for index in members.indices {
                guard !members[index].isGroupInTheEnd else {
                    throw CanvasError(
                        "a part of a group that goes on finally, or ends at the first failure, may not be or end in a group "
                            + "itself")
                }
                var arrival = Arrival(
                    id: TaskID.random(), group: group, index: index, size: members.count, body: body, isSuccess: true,
                    calledOff: endsAtFailure ? id : nil)
                members[index].append(callbacks: [arrival.signature(on: queue).encoded()])
                arrival.isSuccess = false
                members[index].append(errbacks: [arrival.signature(on: queue).encoded()])
            }
            form = .group(members)
        case .task, .chord: throw CanvasError("\(task) is no group, so there is nothing to wait for")
        }
    }
}
