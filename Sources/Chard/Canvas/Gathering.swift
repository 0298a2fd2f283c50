// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A group whose members arrive at a join of our own, and what follows that: what `finally`, and a join that ends at the first failure,
/// are made of.
///
/// Sent by itself, its members go out at once. Within something larger it is a task like any other, a builtin one that Swift
/// workers run. It gives way to the members, and what follows these takes its id, and whatever waits for it.
struct Gathering: Sendable {
    /// The name of the builtin task.
    static let task = "chard.gather"

    /// A group, or a chain that ends in one.
    var header: Canvas
    /// A queue that Swift workers serve.
    var queue: String
    /// Whether the join ends at the first failure.
    var endsAtFailure: Bool

    init(header: Canvas, queue: String, endsAtFailure: Bool) {
        self.header = header
        self.queue = queue
        self.endsAtFailure = endsAtFailure
    }

    /// What its members are, each with its arrivals: to be sent.
    func members(before body: Canvas) throws(CanvasError) -> Canvas {
        var members = header
        try members.arrive(at: TaskID.random(), then: body.encoded(), on: queue, endsAtFailure: endsAtFailure)
        return members
    }

    /// The signature of the builtin task.
    func signature(before body: Canvas) -> Canvas {
        var canvas = Canvas(task: Self.task)
        canvas.keywords = [
            MessageBody.Keyword(name: "header", value: header.encoded()),
            MessageBody.Keyword(name: "body", value: body.encoded()),
            MessageBody.Keyword(name: "first", value: JSON.bool(endsAtFailure).encoded()[...]),
        ]
        canvas.options["queue"] = JSONText.string(queue)
        return canvas
    }

    /// What takes the place of the builtin task.
    static func replacement(_ body: MessageBody, on queue: String) throws -> Replacement {
        func value(_ name: String) -> ArraySlice<UInt8>? { body.keywords.first { $0.name == name }?.value }
        guard let header = value("header"), let next = value("body") else {
            throw UnboundArguments(
                error: .typeError("\(task)() takes a 'header' and a 'body', as group(...).finally(...) writes them"))
        }
        let gathering = Gathering(
            header: try Canvas(reading: header).called(with: body.positional), queue: queue,
            endsAtFailure: value("first").flatMap { try? JSON(parsing: $0) }?.bool ?? false)
        return Replacement(try Canvas(reading: next), after: gathering)
    }
}
