// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A step of a flow as the record of its workflow keeps it, until what it waits for is over: then the builtin task `chard.step`, which
/// has gathered that, gives way to it.
struct FlowStep: Sendable {
    /// The builtin task that a step begins as.
    static let task = "chard.step"
    /// The builtin task that a step becomes for which something before it has failed.
    static let failing = "chard.fail"

    /// The step's signature, with its arrivals at those that wait for it.
    var canvas: Canvas
    /// How many of the outcomes that it waits for are its first arguments.
    var inputs: Int

    static func value(_ name: String) -> String { "step:\(name)" }
    static func signal(_ name: String) -> String { "signal:\(name)" }

    init(_ canvas: Canvas, inputs: Int) {
        self.canvas = canvas
        self.inputs = inputs
    }

    init(reading text: [UInt8]) throws(CanvasError) {
        guard let parts = JSONText.elements(text[...]), parts.count == 2,
            let inputs = ArraySlice<UInt8>?(parts[0]).integer
        else { throw CanvasError("what is kept of a step cannot be read") }
        self.init(try Canvas(reading: parts[1]), inputs: inputs)
    }

    func encoded() -> [UInt8] { Array(JSONText.array([JSONText.integer(inputs), canvas.encoded()])) }

    /// The signature by which a step begins, once what it waits for is over.
    static func beginning(_ name: String, id: String, of workflow: String, on queue: String) -> Canvas {
        var canvas = Canvas(task: task)
        canvas.keywords = [
            MessageBody.Keyword(name: "workflow", value: JSONText.string(workflow)),
            MessageBody.Keyword(name: "step", value: JSONText.string(name)),
        ]
        canvas.options[.taskID] = JSONText.string(id)
        canvas.options["queue"] = JSONText.string(queue)
        return canvas
    }

    /// What takes the place of the builtin task: the step with its arguments or, where one of the outcomes is a failure, that failure.
    func following(_ outcomes: [ArraySlice<UInt8>], on queue: String) throws -> Canvas {
        var results: [ArraySlice<UInt8>] = []
        for (place, text) in outcomes.enumerated() {
            let outcome = try JSON(parsing: text, limits: .held)
            guard outcome["state"]?.string == TaskState.success.rawValue else {
                var failure = Canvas(task: Self.failing)
                failure.keywords = [
                    MessageBody.Keyword(name: "error", value: (outcome["error"] ?? .null).encoded()[...])
                ]
                failure.options["queue"] = JSONText.string(queue)
                failure.append(errbacks: canvas.errbacks)
                return failure
            }
            if place < inputs { results.append((outcome["result"] ?? .null).encoded()[...]) }
        }
        return canvas.called(with: results)
    }
}

extension Canvas {
    /// What it calls when it fails, as a whole.
    fileprivate var errbacks: [ArraySlice<UInt8>] {
        switch form {
        case .task: options[.linkError].signatures
        case .chain(let tasks), .group(let tasks): tasks.last?.errbacks ?? []
        case .chord(_, let body): body.errbacks
        }
    }
}
